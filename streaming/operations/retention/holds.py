"""The directory of holds (see `formats.holds`): write, remove and read them."""

from __future__ import annotations

import os
import uuid
from pathlib import Path

from shared_features.formats.holds import HOLDS, Hold, decode_hold, encode_hold
from streaming.lake.log_files import sync_path


def write_hold(lake: Path, name: str, hold: Hold) -> None:
    """Write a hold, or replace the hold of this name, in one durable step."""
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
    """Remove a hold, if it exists."""
    (lake / HOLDS / f"{name}.json").unlink(missing_ok=True)


def read_holds(lake: Path) -> dict[str, Hold]:
    """All holds by name. Raises FormatVersionError for a hold that cannot be read, because it may hold anything."""
    files = sorted(each for each in (lake / HOLDS).glob("*.json") if not each.name.startswith("."))
    return {file.stem: decode_hold(file.read_bytes(), str(file)) for file in files}
