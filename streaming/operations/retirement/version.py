"""A version of a feature group, or an addition to one, that the definitions no longer hold, and its tables."""

from __future__ import annotations

import re
import shutil
import uuid
from dataclasses import dataclass
from pathlib import Path

from shared_features.definitions import Catalogue
from streaming.errors import RefusedError

_LABEL = re.compile(r"([A-Za-z_]\w*):v([1-9]\d*)(?:\+([1-9]\d*))?")
_TABLE = re.compile(r"(?:features|snapshots)_(\w+)_v([1-9]\d*)(?:_added([1-9]\d*))?_on_(\w+)")
_REMOVED = ".retired"
"""Folder of the lake into which a table is moved before it is deleted. The move ends the table in one step."""


@dataclass(frozen=True)
class Version:
    """`name:vN` with all its additions, or the single addition `name:vN+M` with the number `part`."""

    name: str
    number: int
    part: int | None = None

    @classmethod
    def parse(cls, label: str) -> Version:
        found = _LABEL.fullmatch(label)
        if found is None:
            raise RefusedError(
                f"{label!r} is not a version of a feature group. Give NAME:vN, such as machine_heat:v1, or NAME:vN+M "
                "for an addition to a version"
            )
        return cls(found[1], int(found[2]), None if found[3] is None else int(found[3]))

    def __str__(self) -> str:
        return f"{self.name}:v{self.number}" + (f"+{self.part}" if self.part else "")

    def is_of(self, label: str) -> bool:
        """Whether a label belongs to this version, or to an addition to this version."""
        return label == str(self) or (self.part is None and label.partition("+")[0] == str(self))

    def tables(self, lake: Path, kind: str, spine: str | None = None) -> list[Path]:
        """The tables of a kind (features, snapshots) of the version and its additions, on one spine or on all."""
        added = r"(_added\d+)?" if self.part is None else f"_added{self.part}"
        on = r"\w+" if spine is None else re.escape(spine)
        pattern = re.compile(rf"{kind}_{re.escape(self.name)}_v{self.number}{added}_on_{on}")
        return sorted(each for each in lake.glob(f"{kind}_*") if pattern.fullmatch(each.name))

    def is_read_on(self, spine: str, catalogue: Catalogue) -> bool:
        """Whether a view of the definitions reads it on this spine."""
        return any(self.is_of(group.label) and source.name == spine for group, source in catalogue.spines)


def forgotten(lake: Path, catalogue: Catalogue) -> dict[str, str]:
    """The snapshots tables that no definition reads, by name, each with the arguments of `retire` that remove it."""
    labels = {group.label for group in catalogue.groups}
    spines = {(group.label, source.name) for group, source in catalogue.spines}
    found = {}
    for path in sorted(lake.glob("snapshots_*/_delta_log")):
        parts = _TABLE.fullmatch(path.parent.name)
        if parts is None:
            continue
        base, spine = f"{parts[1]}:v{parts[2]}", parts[4]
        label = f"{base}+{parts[3]}" if parts[3] else base
        if label not in labels:
            found[path.parent.name] = label if base in labels else base
        elif (label, spine) not in spines:
            found[path.parent.name] = f"{label} --spine {spine}"
    return found


def remove_table(table: Path) -> None:
    """Remove a table's directory: rename it in one step, then delete it from the disk."""
    removed = table.parent / _REMOVED
    removed.mkdir(exist_ok=True)
    table.rename(removed / f"{table.name}.{uuid.uuid4().hex}")
    sweep(table.parent)


def sweep(lake: Path) -> None:
    """Delete what this command, or an earlier one that was killed, has removed."""
    shutil.rmtree(lake / _REMOVED, ignore_errors=True)
