"""Events that are not JSON: whatever a process or an operator does with JSON, it does with them."""

from __future__ import annotations

import base64
import csv
import io
import json
import struct
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pyarrow as pa
import pytest
from deltalake import DeltaTable

from shared_features.definitions import EventSource
from streaming.kafka.records.record_reader import CREATE_TIME, Read, RecordReader, Records, StampRule
from tests.streaming import small_domain
from tests.streaming.operations.stored_world import START_US, StoredWorld
from tests.streaming.other_formats import csv_domain, packed_domain

GONE, STAYS = 77, 5
Write = Callable[[Mapping[str, Any]], bytes]


def as_csv(fields: Mapping[str, Any]) -> bytes:
    line = io.StringIO()
    csv.writer(line, lineterminator="").writerow([fields.get(name, "") for name in csv_domain.NAMES])
    return line.getvalue().encode()


FORMATS: dict[str, tuple[EventSource, Write]] = {
    packed_domain.__name__: (packed_domain.PAYMENTS, msgspec.msgpack.encode),
    csv_domain.__name__: (csv_domain.PAYMENTS, as_csv),
}


def fields(number: int, payer: int = GONE, **others: Any) -> dict[str, Any]:
    return {"id": number, "event_time": START_US + number, "payer": payer, "shop": "s, 1", "amount": 1.25, **others}


def read(source: EventSource, values: list[bytes | None]) -> Read:
    count = len(values)
    stamps, types = np.full(count, START_US // 1000), np.full(count, CREATE_TIME)
    records = Records("payments", 0, np.arange(count), stamps, types, values, key_of=lambda _: None)
    return RecordReader(source, StampRule("embedded")).read(records)


@pytest.mark.parametrize("name", FORMATS)
def test_the_same_events_have_the_same_columns_in_every_format(name: str) -> None:
    source, write = FORMATS[name]
    events = [fields(1), fields(2, note="é"), fields(3, amount=0.125), fields(4, payer=2**50)]
    found = read(source, [write(each) for each in events]).events
    wanted = read(small_domain.PAYMENTS, [json.dumps(each).encode() for each in events]).events
    assert len(found) == 4
    for column, values in wanted.columns.items():
        assert found.columns[column].tolist() == values.tolist()
    assert found.valid["note"].tolist() == [False, True, False, False]
    assert found.digest.tolist() == wanted.digest.tolist()


@pytest.mark.parametrize("name", FORMATS)
def test_what_is_no_event_is_a_dead_letter_with_the_path_of_the_field(name: str) -> None:
    source, write = FORMATS[name]
    bad = [write(fields(1, amount="much")), None, b"", write(fields(2, amount=1001)), b"\xc1\xff"]
    letters = read(source, [write(fields(0)), *bad, write(fields(3))]).dead
    reasons = [each.reason.partition(" (topic")[0] for each in letters]
    assert [each.offset for each in letters] == [1, 2, 3, 4, 5]
    assert [each.value for each in letters] == bad
    assert reasons[:4] == [
        "expected number, got string - at $.amount",
        "no value (a tombstone) - at $",
        "empty value - at $",
        "out of bounds 0 to 1000: 1001.0 - at $.amount",
    ]
    assert " - at $" in reasons[4]


@pytest.fixture(params=FORMATS)
def stored(request: pytest.FixtureRequest, world: StoredWorld) -> StoredWorld:
    """A good event and a dead letter of each of two payers."""
    world.settings = world.settings.model_copy(update={"definitions": request.param})
    _, write = FORMATS[request.param]
    for number, payer in enumerate((GONE, STAYS)):
        world.send("payments", [(START_US, write(fields(number, payer)))])
        world.send("payments", [(START_US, write(fields(10 + number, payer, amount="much")))])
    world.archive()
    return world


def column(world: StoredWorld, table: str, name: str) -> list[Any]:
    found: list[Any] = pa.table(DeltaTable(world.lake / table).scan(columns=[name]))[name].to_pylist()
    return found


def test_a_letter_that_somebody_edited_becomes_an_event(stored: StoredWorld, tmp_path: Path) -> None:
    _, write = FORMATS[stored.settings.definitions]
    lines = stored.run("dead-letters", "list", "--json").splitlines()
    mended = []
    for number, line in enumerate(map(json.loads, lines)):
        value = write(fields(10 + number, amount=2.5))
        if "value_base64" in line:
            line["value_base64"] = base64.b64encode(value).decode()
        else:
            line["value"] = value.decode()
        mended.append(json.dumps(line))
    file = tmp_path / "mended.jsonl"
    file.write_text("\n".join(mended))
    assert "2 letters replayed, 0 left alone" in stored.run("dead-letters", "replay", "--from", str(file), "--execute")
    stored.archive()
    assert sorted(column(stored, "events_payments", "amount")) == [125, 125, 250, 250]


def mend(value: bytes, reason: str) -> bytes:
    return value.replace(b"much", b"7.75").replace(b"\xa47.75", b"\xcb" + struct.pack(">d", 7.75))


def test_a_function_mends_letters_as_bytes_of_their_format(stored: StoredWorld) -> None:
    said = stored.run("dead-letters", "replay", "--mend", f"{__name__}:mend", "--execute")
    assert "2 letters replayed, 0 left alone" in said
    stored.archive()
    assert sorted(column(stored, "events_payments", "amount")) == [125, 125, 775, 775]


def test_erasure_finds_the_entity_in_letters_of_every_format(stored: StoredWorld) -> None:
    said = stored.run("erase", "--entity", "payer", "--key", str(GONE), "--execute")
    assert "1  events of payments" in said
    assert "1  dead letters" in said
    assert column(stored, "events_payments", "payer") == [STAYS]
    assert len(column(stored, "dead_letters", "value")) == 1
