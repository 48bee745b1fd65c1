"""A topic that was made anew has the positions of the one before again: their letters are told apart by its id."""

from __future__ import annotations

import json
import sys
from collections import Counter
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pyarrow as pa
import pytest
from deltalake import DeltaTable

from shared_features.definitions import FeatureView
from shared_features.formats.offline_tables import DEAD_LETTERS_TABLE
from streaming.archive.stored_log import Marked, StoredDeadLetters
from streaming.kafka.records.polled import DeadLetter, Polled
from streaming.kafka.records.record_reader import RecordReader, StampRule
from streaming.lake.handle import DeltaHandle
from streaming.operations.dead_letters.letter import Letter, to_json
from streaming.operations.dead_letters.mending import by_hand
from tests.streaming.operations.dead_letters.test_command import MEND, bad, letters, replayed_originals
from tests.streaming.operations.stored_world import START_US, StoredWorld
from tests.streaming.small_domain import OUTCOMES, PAYMENTS, SHOP_RISK

__all__ = ["letters"]
REPLAY = ("dead-letters", "replay", "--mend", MEND, "--reason", "got string", "--execute")


@pytest.fixture
def anew(letters: StoredWorld) -> StoredWorld:
    """Beside the letters of the topic there is, one of another topic of its name, at a position of theirs."""
    dead = (DeadLetter(1, START_US, "got string", b"k", bad(1, START_US)),)
    none = RecordReader(PAYMENTS, StampRule("embedded")).no_events
    polled = Polled("payments", "before", 0, PAYMENTS, -1, 1, none, np.empty(0, np.int64), dead)
    StoredDeadLetters(letters.lake, {("payments", "before"): 1}).take([Marked(polled)])
    return letters


def test_a_letter_of_the_topic_before_is_left_alone_and_the_other_one_is_sent(anew: StoredWorld) -> None:
    text = anew.run(*REPLAY)
    assert "5 letters replayed, 2 left alone" in text
    assert "left alone  payments:0:1  topic payments was deleted and re-created" in text
    assert replayed_originals(anew) == Counter({(0, offset): 1 for offset in (0, 1, 2, 4, 5)})
    still = [json.loads(line) for line in anew.run("dead-letters", "list", "--json", "--open").splitlines()]
    assert [each["offset"] for each in still if each["topic_id"] == "before"] == [1]
    shown = anew.run("dead-letters", "show", "payments:0:1")
    assert "payments (before)" in shown
    assert shown.count("not replayed") == 1


def test_a_line_by_hand_is_of_one_of_the_two(anew: StoredWorld, tmp_path: Path) -> None:
    lines = [json.loads(line) for line in anew.run("dead-letters", "list", "--json").splitlines()]
    both = [each for each in lines if (each["partition"], each["offset"]) == (0, 1)]
    edited = [each | {"value": each["value"].replace('"1.5"', "1.5")} for each in both]
    file = tmp_path / "edited.jsonl"
    file.write_text("".join(json.dumps(each) + "\n" for each in edited))
    text = anew.run("dead-letters", "replay", "--from", str(file), "--execute", code=1)
    assert "1 letters replayed, 1 left alone" in text
    assert replayed_originals(anew) == Counter({(0, 1): 1})


def test_a_table_of_before_the_id_was_stored_is_read_and_its_letters_are_left_alone(world: StoredWorld) -> None:
    none = StoredDeadLetters(world.lake.parent / "another", {("payments", "any"): 1})
    schema = none.handle.table.schema().to_arrow()
    old = pa.schema([field for field in pa.schema(schema) if field.name != "topic_id"])
    row = {"topic": "payments", "kafka_partition": 0, "kafka_offset": 0, "record_time_us": 1, "arrival_time_us": 1}
    rows = pa.Table.from_pylist([row | {"reason": "got string", "value": bad(1, START_US)}], schema=old)
    DeltaHandle(world.lake / DEAD_LETTERS_TABLE, old).commit(rows, {}, {"any": 1})
    assert json.loads(world.run("dead-letters", "list", "--json"))["topic_id"] is None
    world.send("payments", [(START_US, bad(1, START_US))])
    world.archive()
    text = world.run(*REPLAY)
    assert "1 letters replayed, 1 left alone" in text
    assert "it is unknown which topic payments it is from" in text
    assert DeltaTable(world.lake / DEAD_LETTERS_TABLE).count() == 2


@pytest.mark.parametrize("ending", ["\u2028", "\u2029", "\x85", "\x0b", "\x1c"])
def test_a_line_comes_back_whatever_its_value_holds(tmp_path: Path, ending: str) -> None:
    letter = Letter("readings", 0, 7, 1, 1, "no JSON", b"k", f'{{"note": "a{ending}b"}}'.encode(), "id")
    (tmp_path / "letters.jsonl").write_text(to_json(letter) + "\n", encoding="utf-8")
    mend, places = by_hand(tmp_path / "letters.jsonl")
    assert mend(letter) == letter.value
    assert places == {letter.place}


def test_a_letter_of_a_topic_that_no_source_reads_says_so(
    letters: StoredWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    view = FeatureView(name="risk", version=1, source=OUTCOMES, features=(SHOP_RISK,))
    monkeypatch.setitem(sys.modules, "outcomes_alone", SimpleNamespace(view=view))
    letters.settings = letters.settings.model_copy(update={"definitions": "outcomes_alone"})
    text = letters.run("dead-letters", "replay")
    assert text.count("no event source of the definitions reads topic payments") == 8
    assert "does not exist" not in text
