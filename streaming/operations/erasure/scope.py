"""The scope of an erasure of entities of one kind: sources, groups and tables, by the definitions and by the lake."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from shared_features.definitions import Catalogue, Entity, EventSource, FeatureGroup
from shared_features.formats.offline_tables import DEAD_LETTERS_TABLE, events_table, snapshots_table
from streaming.operations.erasure.forgotten import refuse_unknown, with_forgotten
from streaming.operations.erasure.subjects.held_keys import carries
from streaming.operations.erasure.tables import features_on, group_tables, rows_of


@dataclass(frozen=True)
class Scope:
    """catalogue: includes the sources that only the lake knows. sources: those whose events carry the entity's fields.

    logged: those of `sources` that the definitions have, with a log. others: the topics of all other sources. groups,
    snapshots, own_rows: those whose keys carry the entity's fields, tables with the fields of their keys. features:
    tables of feature rows of all groups, by source. own_rows are among them.
    """

    catalogue: Catalogue
    sources: Sequence[EventSource]
    logged: Sequence[EventSource]
    others: Sequence[str]
    groups: Sequence[FeatureGroup]
    snapshots: Mapping[Path, tuple[str, ...]]
    features: Mapping[str, Sequence[Path]]
    own_rows: Mapping[str, Mapping[Path, tuple[str, ...]]]

    @property
    def ended(self) -> set[str]:
        """The names of the sources without a log."""
        return {source.name for source in self.sources if source not in self.logged}

    def tables(self, lake: Path) -> list[Path]:
        """All tables that exist."""
        events = [lake / events_table(source) for source in self.sources]
        features = [path for paths in self.features.values() for path in paths]
        paths = [*events, *features, *self.snapshots, lake / DEAD_LETTERS_TABLE]
        return [path for path in paths if (path / "_delta_log").is_dir()]


def scope_of(lake: Path, known: Catalogue, entity: Entity) -> Scope:
    """Raises RefusedError if the lake has tables whose owner is unknown."""
    wide = with_forgotten(lake, known)
    refuse_unknown(lake, known, wide)
    sources = [source for source in wide.sources if all(source.has(name) for name in entity.keys)]
    groups = [group for group in wide.groups if carries(group.entity.keys, entity.keys)]
    features = {source.name: features_on(lake, source, wide) for source in sources}
    return Scope(
        catalogue=wide,
        sources=sources,
        logged=[source for source in sources if source in known.sources],
        others=[source.topic for source in known.sources if source not in sources],
        groups=groups,
        snapshots={
            path: group.entity.keys
            for group in groups
            for path in group_tables(lake, snapshots_table, [group], wide.sources)
        },
        features=features,
        own_rows={source.name: rows_of(features[source.name], source, wide, entity) for source in sources},
    )
