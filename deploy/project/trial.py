"""A trial of a written project: its definitions load, and its rows are events. The reader of the stream decides."""

from __future__ import annotations

import importlib
import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from deploy.project.topic_sample import TopicSample
from shared_features.definitions import Catalogue, FeatureView, load_definitions
from shared_features.definitions.views.function_trial import check_functions
from streaming.kafka.records.record_reader import RecordReader, StampRule
from streaming.operations.produce.rows.file_rows import UNREADABLE, Row
from streaming.operations.produce.rows.fit import Fit, fit_of, tried
from streaming.operations.produce.rows.row_encoder import Reading, RowEncoder, key_fields
from streaming.operations.produce.times.arrival_text import arrival_text
from streaming.settings import StreamingSettings


@dataclass(frozen=True)
class Trial:
    """catalogue: the definitions, loaded. fits: by the name of each source, what its reader says of the rows.

    request: an instance for the endpoint.
    """

    catalogue: Catalogue
    fits: dict[str, Fit]
    request: dict[str, Any]


def try_project(
    parent: Path,
    project: str,
    rows: Sequence[Row],
    maps: Mapping[str, str],
    now_us: int,
    topic: TopicSample | None = None,
    arrivals: Mapping[str, str] | None = None,
    decimal_comma: bool = False,
) -> Trial:
    """Raises FeatureError where the definitions cannot work. maps: FIELD or SOURCE.FIELD -> column.

    arrivals: SOURCE -> what --arrival says. topic: where the rows are its records, those are tried as they are.
    """
    with _importable(parent, project):
        catalogue = load_definitions(f"{project}.features")
    for view in catalogue.views:
        check_functions(view)
    settings = StreamingSettings.model_construct(topic_mode="embedded")  # not of the environment: nothing is sent
    fits, request = {}, {}
    for source in catalogue.sources:
        own = {name: column for name, column in maps.items() if "." not in name and source.has(name)}
        own |= {name.partition(".")[2]: column for name, column in maps.items() if name.startswith(f"{source.name}.")}
        known = arrival_text((arrivals or {}).get(source.name, ""))
        reading = Reading(own, arrival=known.column, known_after_us=known.after_us, decimal_comma=decimal_comma)
        encoder = RowEncoder(source, key_fields(catalogue, source), rows, reading)
        if topic is None:
            fits[source.name] = tried(encoder, rows, settings, now_us)
        else:
            fits[source.name] = fit_of(RecordReader(source, StampRule.of(settings)).read(topic.records), len(rows))
        for view in catalogue.views:
            if view.source == source:
                request = _request(view, encoder, rows)
    return Trial(catalogue, fits, request)


def _request(view: FeatureView, encoder: RowEncoder, rows: Sequence[Row]) -> dict[str, Any]:
    """From the last row that has every field which a request must carry: its entity has history. Else empty."""
    needed = {each.name for each in view.request_fields if not each.optional}
    for row in reversed(rows):
        event = {} if UNREADABLE in row else _plain(encoder, row)
        if needed <= event.keys():
            return {each.name: event[each.name] for each in view.request_fields if each.name in event}
    return {}


def _plain(encoder: RowEncoder, row: Row) -> dict[str, Any]:
    value = encoder.encode(row)[2]
    found: dict[str, Any] = (
        msgspec.msgpack.decode(value) if encoder.source.format == "messagepack" else json.loads(value)
    )
    return found


@contextmanager
def _importable(parent: Path, project: str) -> Iterator[None]:
    """The project alone is found first, and nothing of it stays: neither a loaded module nor a compiled file."""
    writes = sys.dont_write_bytecode
    sys.dont_write_bytecode = True
    sys.path.insert(0, str(parent))
    importlib.invalidate_caches()
    try:
        yield
    finally:
        sys.path.remove(str(parent))
        sys.dont_write_bytecode = writes
        for name in [each for each in sys.modules if each.partition(".")[0] == project]:
            del sys.modules[name]
