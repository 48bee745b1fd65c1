"""The tables of the lake that an erasure concerns, found by the names that definitions give them."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from deltalake import DeltaTable

from shared_features.definitions import Catalogue, Entity, EventSource, FeatureGroup
from shared_features.formats.offline_tables import DEFINITION, features_table
from streaming.errors import RefusedError
from streaming.operations.erasure.subjects.held_keys import carries

_VERSION = r"features_\w+_v[1-9]\d*(_added[1-9]\d*)?_on_"


def features_on(lake: Path, source: EventSource, catalogue: Catalogue) -> list[Path]:
    """The tables of feature rows on a source's events, of all groups and versions, even if no definition knows them.

    The name of a source may end like the name of another. Raises RefusedError if a table could belong to either.
    """
    found = []
    for path, names in _features(lake, catalogue):
        if source.name not in names:
            continue
        if len(names) > 1:
            raise RefusedError(
                f"Nothing is erased: table {path.name} may hold rows of any of the sources {', '.join(sorted(names))}. "
                "Move the table out of the lake, and check it by hand"
            )
        found.append(path)
    return found


def features_on_none(lake: Path, catalogue: Catalogue) -> list[Path]:
    """The tables of feature rows whose source is unknown."""
    return [path for path, names in _features(lake, catalogue) if not names]


def rows_of(
    tables: Sequence[Path], source: EventSource, catalogue: Catalogue, entity: Entity
) -> dict[Path, tuple[str, ...]]:
    """The tables on a source whose keys carry the entity's fields, each with the fields of its keys."""
    named = {features_table(group, source): group.entity.keys for group in catalogue.groups}
    fields = {path: _stored_keys(path) or named.get(path.name, ()) for path in tables}
    return {path: each for path, each in fields.items() if carries(each, entity.keys)}


def _features(lake: Path, catalogue: Catalogue) -> Iterator[tuple[Path, set[str]]]:
    """Each table of feature rows, with the names of the sources that it may belong to."""
    known: dict[str, set[str]] = {}
    for group in catalogue.groups:
        for each in catalogue.sources:
            known.setdefault(features_table(group, each), set()).add(each.name)
    for path in sorted(lake.glob("features_*")):
        if (path / "_delta_log").is_dir():
            yield (
                path,
                known.get(path.name)
                or {
                    each.name for each in catalogue.sources if re.fullmatch(_VERSION + re.escape(each.name), path.name)
                },
            )


def _stored_keys(path: Path) -> tuple[str, ...] | None:
    """The key fields of a table's entity, by the stored definition; None if no definition was stored."""
    text = DeltaTable(path).metadata().configuration.get(DEFINITION)
    try:
        return None if text is None else tuple(json.loads(text)["entity"][1]["keys"])
    except (ValueError, KeyError, TypeError, IndexError):
        return None


def group_tables(lake: Path, name_of: Callable[[FeatureGroup, EventSource], str], groups: Sequence[FeatureGroup],
                 sources: Sequence[EventSource]) -> list[Path]:  # fmt: skip
    """The existing tables of groups on any source."""
    paths = [lake / name_of(group, source) for group in groups for source in sources]
    return [path for path in paths if (path / "_delta_log").is_dir()]
