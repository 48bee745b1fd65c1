"""Sources that have events in the lake, but that the definitions no longer know, because they were renamed or removed.

Nothing appends to their tables any more (or a process with other definitions does), so all rows of the entity are
erased.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pyarrow as pa
from deltalake import DeltaTable

from shared_features.definitions import Catalogue, EventSource, Field, Timestamp
from shared_features.formats.offline_tables import EVENT_COLUMNS, snapshots_table
from shared_features.formats.prediction_log import SOURCE_NAME
from streaming.errors import RefusedError
from streaming.lake.events_table import stored_type
from streaming.operations.erasure.tables import features_on_none, group_tables
from streaming.operations.retirement.version import forgotten

_EVENTS = "events_"
_TIME = Field("_time_that_only_its_definition_names", Timestamp())


def with_forgotten(lake: Path, catalogue: Catalogue) -> Catalogue:
    """The definitions, and the sources that only the lake knows."""
    known = {source.name for source in catalogue.sources}
    names = [path.parent.name.removeprefix(_EVENTS) for path in sorted(lake.glob(f"{_EVENTS}*/_delta_log"))]
    known.add(SOURCE_NAME)  # of answers: a field of it, such as `model`, is not the key of an entity of that name
    lost = [_as_stored(lake, name) for name in names if name not in known and name.isidentifier()]
    return replace(catalogue, sources=(*catalogue.sources, *lost))


def refuse_unknown(lake: Path, catalogue: Catalogue, wide: Catalogue) -> None:
    """Raises RefusedError if the lake has tables whose content is unknown. The error says what to do."""
    kept = group_tables(lake, snapshots_table, wide.groups, wide.sources)
    unread = [path.parent for path in sorted(lake.glob("snapshots_*/_delta_log")) if path.parent not in kept]
    commands = {table: label for table, label in forgotten(lake, catalogue).items() if lake / table in unread}
    if commands:
        labels = dict.fromkeys(commands.values())
        raise RefusedError(
            f"Nothing is erased: {', '.join(commands)} belong to versions, or to sources, that the definitions no "
            "longer hold, so it is unknown whose states they hold, here and in Redis. First run "
            + ", ".join(f"`retire {label} --execute`" for label in labels)
        )
    if strange := [*features_on_none(lake, wide), *unread]:
        raise RefusedError(
            f"Nothing is erased: neither the definitions nor an events table has the source of "
            f"{', '.join(path.name for path in strange)}, so it is unknown whose rows they hold. Delete them if nobody "
            f"needs them (`rm -r {' '.join(map(str, strange))}`), or move them out of the lake and check them by hand"
        )


def _as_stored(lake: Path, name: str) -> EventSource:
    """A source as far as its table describes it: the columns and their kinds. Of its topic nothing is known."""
    schema = pa.schema(DeltaTable(lake / f"{_EVENTS}{name}").schema().to_arrow())
    fields = tuple(Field(each.name, stored_type(each.type)) for each in schema if each.name not in EVENT_COLUMNS)
    return EventSource(name, f"{_EVENTS}{name}", (*fields, _TIME), event_id=_TIME.name, event_time=_TIME.name)
