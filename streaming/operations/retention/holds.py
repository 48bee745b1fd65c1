"""The directory of holds (see `formats.holds`): made, removed and read."""

from __future__ import annotations

import os
import uuid
from pathlib import Path

from shared_features.formats.holds import HOLDS, Hold, decode_hold, encode_hold
from streaming.lake.log_files import sync_path


def write_hold(lake: Path, name: str, hold: Hold) -> None:
    """Make a hold, or replace the one of this name, in one durable step."""
    directory = lake / HOLDS
    directory.mkdir(parents=True, exist_ok=True)
    temporary = directory / f".{name}.{uuid.uuid4().hex}"
    with temporary.open("xb") as file:
        file.write(encode_hold(hold))
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(directory / f"{name}.json")
    sync_path(directory)


def drop_hold(lake: Path, name: str) -> None:
    """Remove a hold; it may be gone."""
    (lake / HOLDS / f"{name}.json").unlink(missing_ok=True)


def read_holds(lake: Path) -> dict[str, Hold]:
    """All holds by name. Raises FormatVersionError for one that cannot be read: it may hold anything."""
    files = sorted(each for each in (lake / HOLDS).glob("*.json") if not each.name.startswith("."))
    return {file.stem: decode_hold(file.read_bytes(), str(file)) for file in files}
