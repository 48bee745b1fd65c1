"""The files of a Delta table's log: force a commit to disk, and see whether the last one is whole.

A killed process leaves a table whole. A loss of power may not: Delta forces nothing to disk. So a commit is
acknowledged only after its files, its JSON and their directories were.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from streaming.errors import RefusedError

_LOOK_BACK = 1000  # other writers' commits that may lie above the one looked for
_WITH_POSITIONS = "WRITE"


def commit_path(table: Path, version: int) -> Path:
    return table / "_delta_log" / f"{version:020}.json"


def sync_commit(table: Path, version: int, positions: Mapping[str, int]) -> None:
    """Force to disk the newest commit, at or below a version, that wrote these positions.

    Raises OSError while the disk is away, and when no such commit is there.
    """
    for each in range(version, max(-1, version - _LOOK_BACK), -1):
        path = commit_path(table, each)
        actions = [json.loads(line) for line in path.read_text().splitlines()]
        written = {action["txn"]["appId"]: action["txn"]["version"] for action in actions if "txn" in action}
        if written.items() >= dict(positions).items():
            _sync_files(table, path, actions)
            return
    raise OSError(f"table {table.name}: no commit up to {version} holds the positions just written")


def _sync_files(table: Path, commit: Path, actions: list[dict[str, Any]]) -> None:
    added = [table / unquote(action["add"]["path"]) for action in actions if "add" in action]
    checkpoint = commit.with_suffix(".checkpoint.parquet")
    if checkpoint.exists():
        added += [checkpoint, commit.parent / "_last_checkpoint"]
    for path in [*added, commit]:
        sync_path(path)
    for directory in dict.fromkeys([*(path.parent for path in added), table, commit.parent]):
        sync_path(directory)


def sync_path(path: Path) -> None:
    """Force a file or a directory to disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def check_last_commit(table: Path) -> None:
    """Raise RefusedError when the newest commit of a table is torn, as after a loss of power."""
    log = table / "_delta_log"
    versions = sorted(path for path in log.glob("*.json") if path.stem.isdigit())
    if not versions:
        return
    last = versions[-1]
    if fault := _fault(table, last.read_text()):
        raise RefusedError(
            f"table {table.name}: its last commit {int(last.stem)} is torn ({fault}), as after a loss of power. "
            f"It was never acknowledged: stop all that write to the table, delete its _delta_log/{last.name} and "
            "start again; what it held is read again"
        )


def _fault(table: Path, text: str) -> str | None:
    if not text.strip():
        return "the file is empty"
    try:
        actions = [json.loads(line) for line in text.splitlines()]
    except ValueError:
        return "a line of it is cut off"
    operation = next((action["commitInfo"].get("operation") for action in actions if "commitInfo" in action), None)
    if operation in (None, _WITH_POSITIONS) and not any("txn" in action for action in actions):
        return "it has no position"
    for action in actions:
        path = table / unquote(action["add"]["path"]) if "add" in action else None
        if path is not None and (not path.exists() or path.stat().st_size != action["add"]["size"]):
            return f"its file {path.name} is missing or cut off"
    return None
