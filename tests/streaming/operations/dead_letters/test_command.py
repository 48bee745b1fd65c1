"""Dead letters are listed, shown, and sent again once per original position, whatever is killed when."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from deltalake import DeltaTable

from streaming.errors import RefusedError
from streaming.operations.dead_letters.letter import open_letters, read_letters
from streaming.operations.dead_letters.listing import kind_of
from streaming.operations.dead_letters.mending import Mended, TrialReader, as_it_is
from streaming.operations.dead_letters.replay import replay
from streaming.operations.dead_letters.resending import HEADER
from tests.depth import cases
from tests.streaming.operations.stored_world import START_US, StoredWorld, payment

DIES = "import os, signal\ndef die(*a, **k): os.kill(os.getpid(), signal.SIGKILL)\n"
MENDED = "tests.streaming.operations.dead_letters.mended_domain"
CRASHES = {
    "before the intent is stored": DIES
    + "import streaming.operations.dead_letters.replay_record as r\nr.ReplayRecord.commit = die",
    "after the intent, before anything is sent": DIES
    + "import streaming.operations.dead_letters.resending as r\nr.Resender.send = die",
    "when some were sent and the transaction is open": DIES
    + "import streaming.operations.dead_letters.resending as r\nsend = r.Resender._produce\nsent = []\n"
    "def some(self, *a):\n    send(self, *a)\n    sent.append(a)\n    self._producer.poll(0.02)\n"
    "    len(sent) > 3 and die()\nr.Resender._produce = some",
    "after all were sent, before that is stored": DIES
    + "import streaming.operations.dead_letters.resending as r\nsend = r.Resender.send\n"
    "def all_of_them(*a):\n    send(*a)\n    die()\nr.Resender.send = all_of_them",
    "after that was stored": DIES + "import streaming.operations.dead_letters.replay as r\nreplay = r.replay\n"
    "import streaming.operations.dead_letters.command as c\n"
    "def whole(*a):\n    replay(*a)\n    die()\nc.replay = whole",
}
"""What a child runs before the command, to be killed (SIGKILL, by itself) at this point."""


def bad(number: int, at_us: int) -> bytes:
    """An event that `mend` below knows how to mend."""
    return payment(number, at_us, amount=f"{number}.5")


def mend(value: bytes, reason: str) -> bytes | None:
    plain = json.loads(value)
    if plain["id"] == 3:
        return None
    return json.dumps(plain | {"amount": float(plain["amount"])}).encode()


MEND = f"{__name__}:mend"


@pytest.fixture
def letters(world: StoredWorld) -> StoredWorld:
    """Eight dead letters among good events: six with a text for a number, one no JSON, one a tombstone."""
    world.send("payments", [(START_US + i * 1000, bad(i, START_US + i)) for i in range(6)], key=b"who")
    world.send("payments", [(START_US + 9000, b'{"shop": "\xff"}'), (START_US, None)], partition=1)
    world.send("payments", [(START_US + 9000, payment(100, START_US))])
    world.archive()
    return world


def replayed_originals(world: StoredWorld, topic: str = "payments") -> Counter[tuple[int, int]]:
    found: Counter[tuple[int, int]] = Counter()
    for partition in (0, 1):
        for message in world.records(topic, partition):
            for name, value in message.headers() or ():
                if name == HEADER:
                    plain = json.loads(value)
                    assert plain["topic"] == topic
                    assert plain["partition"] == partition
                    found[partition, plain["offset"]] += 1
    return found


def test_reasons_are_counted_without_what_differs_between_letters() -> None:
    reasons = [
        "from the future: 2026-01-01T00:00:09.5Z is more than 6 s after its record time 2026-01-01T00:00:00Z - at $.at "
        f"(topic a.b, partition {partition}, offset 7)"
        for partition in (0, 1)
    ]
    assert {kind_of(reason) for reason in reasons} == {
        "from the future: TIME is more than N s after its record time TIME - at $.at"
    }
    old = (
        "from the past: 1970-01-21T06:06:40Z is more than 10950 d before its record time 2026-01-01T00:00:00Z; in "
        "seconds it is 2025-06-15T15:06:40Z - at $.at (topic a.b, partition 0, offset 7)"
    )
    assert kind_of(old) == (
        "from the past: TIME is more than N d before its record time TIME; in seconds it is TIME - at $.at"
    )


def test_list_filters_and_counts(letters: StoredWorld) -> None:
    counts = [json.loads(line) for line in letters.run("dead-letters", "list", "--counts", "--json").splitlines()]
    assert sum(each["letters"] for each in counts) == 8
    assert counts[0] == {"topic": "payments", "reason": "expected number, got string - at $.amount", "letters": 6}
    found = letters.run("dead-letters", "list", "--json", "--reason", "UTF-8|tombstone").splitlines()
    assert [(json.loads(line)["partition"], json.loads(line)["offset"]) for line in found] == [(1, 0), (1, 1)]
    assert json.loads(found[0])["value_base64"] == "eyJzaG9wIjogIv8ifQ=="
    late = letters.run(
        "dead-letters", "list", "--json", "--since", "2026-01-01T00:00:00.004Z", "--until", "2026-01-01T00:00:00.009Z"
    )
    assert [json.loads(line)["offset"] for line in late.splitlines()] == [4, 5]
    assert letters.run("dead-letters", "list", "--json", "--topic", "outcomes") == ""
    shown = letters.run("dead-letters", "list", "--limit", "2").splitlines()
    assert shown[-2].startswith("payments:")
    assert "8 dead letters; the first 2:" in shown
    assert "is not a regular expression" in letters.run("dead-letters", "list", "--reason", "(", code=1)


def test_show_prints_a_letter_whole(letters: StoredWorld) -> None:
    text = letters.run("dead-letters", "show", "payments:0:2")
    assert bad(2, START_US + 2).decode() in text
    assert "2026-01-01T00:00:00.002000Z" in text
    assert "22 ff 22 7d" in letters.run("dead-letters", "show", "payments:1:0")
    assert "no dead letter at payments:0:6" in letters.run("dead-letters", "show", "payments:0:6", code=1)


def test_a_rehearsal_sends_nothing_and_says_what_it_would_send(letters: StoredWorld) -> None:
    before = letters.ends()
    text = letters.run("dead-letters", "replay", "--mend", MEND, "--reason", "got string")
    assert "5 letters would be replayed, 1 left alone" in text
    assert letters.ends() == before
    assert not (letters.lake / "replayed_letters").exists()


def test_mended_letters_are_sent_once_and_become_events(letters: StoredWorld) -> None:
    text = letters.run("dead-letters", "replay", "--mend", MEND, "--reason", "got string", "--execute")
    assert "5 letters replayed, 1 left alone" in text
    assert "left alone  payments:0:3" in text
    letters.run("dead-letters", "replay", "--mend", MEND, "--reason", "got string", "--execute")
    assert replayed_originals(letters) == Counter({(0, offset): 1 for offset in (0, 1, 2, 4, 5)})
    replayed = [message for message in letters.records("payments") if message.headers()]
    assert {message.key() for message in replayed} == {b"who"}
    letters.archive()
    assert DeltaTable(letters.lake / "events_payments").count() == 1 + 5
    still = [json.loads(line) for line in letters.run("dead-letters", "list", "--json", "--open").splitlines()]
    assert sorted((each["partition"], each["offset"]) for each in still) == [(0, 3), (1, 0), (1, 1)]


def test_what_mended_definitions_decode_now_is_sent_and_the_rest_is_left_alone(letters: StoredWorld) -> None:
    mended = letters.settings.model_copy(update={"definitions": MENDED})
    text = StoredWorld(letters.simulator, mended).run("dead-letters", "replay", "--execute")
    assert "6 letters replayed, 2 left alone" in text
    assert "payments:1:0  not UTF-8" in text
    assert sum(replayed_originals(letters).values()) == 6


def test_lines_edited_by_hand_are_sent(letters: StoredWorld, tmp_path: Path) -> None:
    lines = [json.loads(line) for line in letters.run("dead-letters", "list", "--json").splitlines()]
    text_for_number = next(each for each in lines if each["offset"] == 1 and each["partition"] == 0)
    no_json = next(each for each in lines if each["reason"].startswith("not UTF-8"))
    text_for_number["value"] = payment(1, START_US, note="by hand").decode()
    del no_json["value_base64"]
    no_json["value"] = "still none"
    file = tmp_path / "edited.jsonl"
    file.write_text("".join(json.dumps(each) + "\n" for each in (text_for_number, no_json)))
    text = letters.run("dead-letters", "replay", "--from", str(file), "--execute", code=1)
    assert "1 letters replayed, 1 left alone" in text
    assert replayed_originals(letters) == Counter({(0, 1): 1})
    file.write_text(json.dumps(text_for_number | {"offset": 77}))
    assert "missing     payments:0:77" in letters.run("dead-letters", "replay", "--from", str(file), code=1)
    file.write_text("{}")
    assert "line 1, is not a line of" in letters.run("dead-letters", "replay", "--from", str(file), code=1)


def test_a_replayed_letter_that_dies_again_is_a_new_one(letters: StoredWorld) -> None:
    """Definitions that decode it send it; the archive of the old definitions sets it aside at its new position."""
    mended = letters.settings.model_copy(update={"definitions": MENDED})
    other = StoredWorld(letters.simulator, mended)
    other.run("dead-letters", "replay", "--execute")
    letters.archive()
    assert DeltaTable(letters.lake / "dead_letters").count() == 8 + 6
    assert "6 letters replayed" in other.run("dead-letters", "replay", "--execute")


@pytest.mark.parametrize("point", cases(CRASHES, quick=("when some were sent and the transaction is open",)))
def test_a_replay_killed_at_any_point_sends_each_letter_once(letters: StoredWorld, point: str) -> None:
    arguments = ("dead-letters", "replay", "--mend", MEND, "--reason", "got string", "--execute")
    child = letters.started(*arguments, script=CRASHES[point])
    out, errors = child.communicate(timeout=300)
    assert child.returncode == -9, out + errors
    letters.run(*arguments)
    assert replayed_originals(letters) == Counter({(0, offset): 1 for offset in (0, 1, 2, 4, 5)})
    assert "0 letters replayed" in letters.run(*arguments)


def test_a_letter_of_a_topic_made_anew_is_left_alone(letters: StoredWorld) -> None:
    letters.simulator.stop()
    letters.simulator.start()
    settings = letters.settings.model_copy(update={"kafka_bootstrap_servers": letters.simulator.bootstrap_servers})
    anew = StoredWorld(letters.simulator, settings)
    text = anew.run("dead-letters", "replay", "--mend", MEND, "--execute")
    assert "0 letters replayed, 8 left alone" in text
    assert "re-created" in text


def test_a_mending_function_that_raises_leaves_the_letter_alone(letters: StoredWorld) -> None:
    text = letters.run("dead-letters", "replay", "--mend", MEND)
    assert "payments:1:0  the function of --mend raised UnicodeDecodeError" in text
    assert "no_such_module" in letters.run("dead-letters", "replay", "--mend", "no_such_module:f", code=1)


def test_a_letter_whose_fate_retention_hid_is_left_alone(letters: StoredWorld) -> None:
    arguments = ("dead-letters", "replay", "--mend", MEND, "--reason", "got string", "--execute")
    child = letters.started(*arguments, script=CRASHES["after all were sent, before that is stored"])
    child.communicate(timeout=300)
    letters.simulator.delete_records("payments", 0, letters.ends()["payments", 0])
    assert "retention has deleted that part of the log" in letters.run(*arguments)
    assert letters.records("payments", 0) == []


def test_two_replays_at_once_do_not_both_go_on(letters: StoredWorld) -> None:
    """The second loads the record after the first did, and commits first: the first may not send."""
    table = open_letters(letters.lake)

    def tried(mend_one: bool) -> Iterator[Mended]:
        judge = TrialReader(letters.settings, letters.catalogue.sources)
        for letter in judge.tried(
            read_letters(table),
            lambda each: mend(each.value or b"{}", "") if each.offset < 2 and each.partition == 0 else None,
        ):
            if mend_one:
                replay(letters.settings, tried(False))
                mend_one = False
            yield letter

    with pytest.raises(RefusedError, match="Another `dead-letters replay`"):
        replay(letters.settings, tried(True))
    assert replayed_originals(letters) == Counter({(0, 0): 1, (0, 1): 1})
    assert as_it_is(next(read_letters(table))) is not None
