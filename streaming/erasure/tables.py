"""Which tables of the lake are meant, found by the names that definitions give them."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from pathlib import Path

from shared_features.definitions import Catalogue, EventSource, FeatureGroup
from shared_features.formats.offline_tables import features_table
from streaming.errors import RefusedError

_VERSION = r"features_\w+_v[1-9]\d*(_added[1-9]\d*)?_on_"


def features_on(lake: Path, source: EventSource, catalogue: Catalogue) -> list[Path]:
    """The feature rows that were read on a source's events, of whatever group and version, also of forgotten ones.

    The name of a source may end as another one's does. RefusedError where a name could be of either.
    """
    known: dict[str, set[str]] = {}
    for group in catalogue.groups:
        for each in catalogue.sources:
            known.setdefault(features_table(group, each), set()).add(each.name)
    found = []
    for path in sorted(lake.glob("features_*")):
        names = known.get(path.name) or {
            each.name for each in catalogue.sources if re.fullmatch(_VERSION + re.escape(each.name), path.name)
        }
        if source.name not in names or not (path / "_delta_log").is_dir():
            continue
        if len(names) > 1:
            raise RefusedError(
                f"table {path.name} may hold rows of any of the sources {', '.join(sorted(names))}, so nobody knows "
                "which rows are meant; move it away"
            )
        found.append(path)
    return found


def group_tables(lake: Path, name_of: Callable[[FeatureGroup, EventSource], str], groups: Sequence[FeatureGroup],
                 sources: Sequence[EventSource]) -> list[Path]:  # fmt: skip
    """The tables of groups on any source, where there are such."""
    paths = [lake / name_of(group, source) for group in groups for source in sources]
    return [path for path in paths if (path / "_delta_log").is_dir()]
