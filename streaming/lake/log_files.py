"""The files of a Delta table's log: force commits to disk, and see whether those since its checkpoint are whole.

A killed process leaves a table whole. A loss of power may not: Delta forces nothing to disk. So a commit is
acknowledged only after its files, its JSON and their directories were, and those of every commit below it: whoever
made these may have been killed before it came to that, and without one of them nothing above can be read.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from streaming.errors import RefusedError

_LOOK_BACK = 1000  # commits of others that may lie between two of one writer
_UNDER_WAY = 10  # commits below a checkpoint whose writers may not have come to force them to disk when it was written
_WITH_POSITIONS = "WRITE"
_PARQUET_ENDS = b"PAR1"
_NONE = -1

Action = dict[str, Any]


def commit_path(table: Path, version: int) -> Path:
    return table / "_delta_log" / f"{version:020}.json"


def sync_commit(table: Path, version: int, positions: Mapping[str, int], synced: int | None = None) -> None:
    """Force to disk every commit up to a version; one of them wrote these positions.

    `synced`: the last one that is known to be there; by default all are forced from the last checkpoint on. Raises
    OSError while the disk is away, and when no commit wrote the positions.
    """
    if synced is None or synced >= version:  # as of a table that was set back
        first = max(0, _checkpoint(table) - _UNDER_WAY)
    else:
        first = max(synced + 1, version - _LOOK_BACK)
    files: list[Path] = []
    written: set[tuple[str, int]] = set()
    for each in range(first, version + 1):
        path = commit_path(table, each)
        if path.exists():  # Delta drops those that a checkpoint holds, after hours
            actions = _actions(path.read_text())
            written |= {(action["txn"]["appId"], action["txn"]["version"]) for action in actions if "txn" in action}
            files += _files(table, path, actions)
    if not written >= set(positions.items()):
        raise OSError(f"table {table.name}: no commit up to {version} holds the positions just written")
    for path in files:
        sync_path(path)
    for directory in dict.fromkeys([*(path.parent for path in files), table / "_delta_log", table]):
        sync_path(directory)


def _files(table: Path, commit: Path, actions: Sequence[Action]) -> Iterator[Path]:
    """Of a commit: its data, but for what was deleted since, its checkpoint, and last its JSON."""
    checkpoint = commit.with_suffix(".checkpoint.parquet")
    files = [table / unquote(action["add"]["path"]) for action in actions if "add" in action]
    for path in [*files, checkpoint, *([commit.parent / "_last_checkpoint"] if checkpoint.exists() else [])]:
        if path.exists():
            yield path
    yield commit


def sync_path(path: Path) -> None:
    """Force a file or a directory to disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def check_commits(table: Path) -> None:
    """Raise RefusedError when a commit since a table's last checkpoint is torn, as after a loss of power."""
    log = table / "_delta_log"
    versions = sorted(int(path.stem) for path in log.glob("*.json") if path.stem.isdigit())
    newest = versions[-1] if versions else _NONE
    checkpoint = _checkpoint(table)
    if checkpoint != _NONE and not _is_whole(path := commit_path(table, checkpoint).with_suffix(".checkpoint.parquet")):
        raise RefusedError(
            f"table {table.name}: {path.name} is cut off, as after a loss of power. It only repeats what the commits "
            "below it say: stop all that write to the table, delete it and _last_checkpoint beside it and start again"
        )
    since = [version for version in versions if version > checkpoint or version == newest]
    if (found := _torn(table, since)) is not None:
        torn, fault = found
        above = f" and the {newest - torn} after it" if newest > torn else ""
        raise RefusedError(
            f"table {table.name}: its commit {torn} is torn ({fault}), as after a loss of power. Nothing from it on "
            f"was acknowledged: stop all that write to the table, delete its _delta_log/{commit_path(table, torn).name}"
            f"{above} and start again; what is lost is read again"
        )


def _torn(table: Path, versions: Sequence[int]) -> tuple[int, str] | None:
    """The lowest torn commit, and what it lacks."""
    added: dict[str, tuple[int, int]] = {}  # path -> version, size
    torn: tuple[int, str] | None = None
    for version in versions:
        text = commit_path(table, version).read_text()
        if fault := _fault(text):
            torn = version, fault
            break
        for action in _actions(text):
            if "add" in action:
                added[action["add"]["path"]] = version, action["add"]["size"]
            elif "remove" in action:
                added.pop(action["remove"]["path"], None)  # it may be deleted by now
    for name, (version, size) in added.items():
        path = table / unquote(name)
        if not path.exists() or path.stat().st_size != size:
            torn = min(torn or (version, ""), (version, f"its file {path.name} is missing or cut off"))
    return torn


def _fault(text: str) -> str | None:
    if not text.strip():
        return "the file is empty"
    try:
        actions = _actions(text)
    except ValueError:
        return "a line of it is cut off"
    operation = next((action["commitInfo"].get("operation") for action in actions if "commitInfo" in action), None)
    if operation in (None, _WITH_POSITIONS) and not any("txn" in action for action in actions):
        return "it has no position"
    return None


def _actions(text: str) -> list[Action]:
    return [json.loads(line) for line in text.splitlines()]


def _checkpoint(table: Path) -> int:
    """The version of the newest checkpoint, -1 when there is none."""
    found = (table / "_delta_log").glob("*.checkpoint.parquet")
    return max((int(path.name.split(".")[0]) for path in found), default=_NONE)


def _is_whole(parquet: Path) -> bool:
    content = parquet.read_bytes()
    return (
        content.startswith(_PARQUET_ENDS) and content.endswith(_PARQUET_ENDS) and len(content) > 2 * len(_PARQUET_ENDS)
    )
