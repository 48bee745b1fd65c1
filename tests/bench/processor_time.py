"""Processor time of processes, user and system of all their threads, from /proc."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

_TICK_S = 1 / os.sysconf("SC_CLK_TCK")


def processor_seconds(process_id: int) -> float:
    """What a process has used up to now; NaN once it has ended."""
    try:
        fields = _fields(Path(f"/proc/{process_id}/stat"))
    except OSError:
        return float("nan")
    return (int(fields[11]) + int(fields[12])) * _TICK_S


def worker_processes(parent_id: int) -> list[int]:
    """Process ids of what a process has spawned by multiprocessing, its resource tracker left out."""
    children = Path(f"/proc/{parent_id}/task/{parent_id}/children").read_text().split()
    return [int(each) for each in children if b"spawn_main(" in Path(f"/proc/{each}/cmdline").read_bytes()]


def dataflow_processes(supervisor_id: int) -> Mapping[str, int]:
    """Process id by name of the dataflows that a supervisor runs."""
    found = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            if int(_fields(stat)[1]) != supervisor_id:
                continue
            arguments = (stat.parent / "cmdline").read_bytes().decode().split("\0")
        except OSError:  # it has ended meanwhile
            continue
        if "--only" in arguments:
            found[arguments[arguments.index("--only") + 1]] = int(stat.parent.name)
    return found


def _fields(stat: Path) -> list[str]:
    """The fields behind the command's name, which may hold anything: state, parent, ..."""
    return stat.read_text().rpartition(")")[2].split()
