"""The files of a Delta table's log: forces commits to disk, and checks whether those since the checkpoint are complete.

A killed process leaves a table complete. A loss of power may not, because Delta forces nothing to disk. So a commit is
acknowledged only after its data files, its JSON and their directories were forced to disk, and also those of every
earlier commit. The writer of an earlier commit may have been killed before it forced its files, and without one commit
no later one can be read.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from streaming.errors import RefusedError

_LOOK_BACK = 1000  # commits of others that may lie between two commits of one writer
_UNDER_WAY = 10  # commits before a checkpoint that may not have been forced to disk when the checkpoint was written
_WITH_POSITIONS = "WRITE"
_PARQUET_ENDS = b"PAR1"
_NONE = -1

Action = dict[str, Any]


def commit_path(table: Path, version: int) -> Path:
    return table / "_delta_log" / f"{version:020}.json"


def sync_commit(table: Path, version: int, positions: Mapping[str, int], synced: int | None = None) -> None:
    """Force to disk every commit up to a version. One of them wrote these positions.

    `synced`: the last commit that is known to be on disk. By default all since the last checkpoint are forced. Raises
    OSError while the disk is unavailable, and if no commit wrote the positions.
    """
    if synced is None or synced >= version:  # larger if the table was rolled back
        first = max(0, _checkpoint(table) - _UNDER_WAY)
    else:
        first = max(synced + 1, version - _LOOK_BACK)
    files: list[Path] = []
    written: set[tuple[str, int]] = set()
    for each in range(first, version + 1):
        path = commit_path(table, each)
        if path.exists():  # after hours, Delta deletes commits that a checkpoint contains
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
    """The files of a commit: its data without what was deleted since, its checkpoint, and last its JSON."""
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
    """Raise RefusedError if a commit since the table's last checkpoint is torn, as after a loss of power."""
    log = table / "_delta_log"
    versions = sorted(int(path.stem) for path in log.glob("*.json") if path.stem.isdigit())
    newest = versions[-1] if versions else _NONE
    checkpoint = _checkpoint(table)
    if checkpoint != _NONE and not _is_whole(path := commit_path(table, checkpoint).with_suffix(".checkpoint.parquet")):
        raise RefusedError(
            f"Table {table.name}: its checkpoint {path.name} is truncated, as after a loss of power. It only repeats "
            "earlier commits. Stop all writers of the table, delete the checkpoint and the file _last_checkpoint "
            "beside it, and start again"
        )
    since = [version for version in versions if version > checkpoint or version == newest]
    if (found := _torn(table, since)) is not None:
        torn, fault = found
        above = f" and the {newest - torn} later commits" if newest > torn else ""
        raise RefusedError(
            f"Table {table.name}: its commit {torn} is torn ({fault}), as after a loss of power. This commit and later "
            f"ones were never acknowledged. Stop all writers of the table, delete _delta_log/"
            f"{commit_path(table, torn).name}{above}, and start again: the events are read again"
        )


def _torn(table: Path, versions: Sequence[int]) -> tuple[int, str] | None:
    """The lowest torn commit, and what is wrong with it."""
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
                added.pop(action["remove"]["path"], None)  # the file may be deleted by now
    for name, (version, size) in added.items():
        path = table / unquote(name)
        if not path.exists() or path.stat().st_size != size:
            torn = min(torn or (version, ""), (version, f"its file {path.name} is missing or truncated"))
    return torn


def _fault(text: str) -> str | None:
    if not text.strip():
        return "the file is empty"
    try:
        actions = _actions(text)
    except ValueError:
        return "one of its lines is truncated"
    operation = next((action["commitInfo"].get("operation") for action in actions if "commitInfo" in action), None)
    if operation in (None, _WITH_POSITIONS) and not any("txn" in action for action in actions):
        return "it has no position"
    return None


def _actions(text: str) -> list[Action]:
    return [json.loads(line) for line in text.splitlines()]


def _checkpoint(table: Path) -> int:
    """The version of the newest checkpoint, -1 if there is none."""
    found = (table / "_delta_log").glob("*.checkpoint.parquet")
    return max((int(path.name.split(".")[0]) for path in found), default=_NONE)


def _is_whole(parquet: Path) -> bool:
    content = parquet.read_bytes()
    return (
        content.startswith(_PARQUET_ENDS) and content.endswith(_PARQUET_ENDS) and len(content) > 2 * len(_PARQUET_ENDS)
    )
