"""The source of cuts waits until a cut is stored, but not for ever: the table may have been restored from a backup.

While it has nothing to do, its worker sleeps.
"""

import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from streaming.errors import RestartNeeded
from streaming.job.waits import waits
from streaming.lake.events_reader import EventsReader
from streaming.materialize import cut_source
from streaming.materialize.cut_source import Rest, SpineCuts
from tests.streaming.materialize.world import World
from tests.streaming.small_domain import PAYMENTS

WAIT = "waiting until the rows of a pass are stored"


def test_a_cut_that_is_never_stored_means_a_restart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    world = World(tmp_path, seed=1)
    for _ in range(200):
        world.produce()
    for _ in range(30):
        world.archive()
    spine = world.spines[0]
    often = world.settings.model_copy(update={"materialize_interval": timedelta(milliseconds=10)})
    cuts = SpineCuts(often, spine, {PAYMENTS.name: EventsReader(tmp_path, PAYMENTS)}, Rest())
    ((label, cut),) = cuts.next_batch()
    assert (label, cut.from_us) == (spine.label, -1)
    time.sleep(0.05)
    assert cuts.next_batch() == []
    assert [each.why for each in waits() if each.what == WAIT] == [
        f"spine: {spine.label}, cut_us: {cut.to_us}, stored_us: -1"
    ]
    monkeypatch.setattr(cut_source, "_STORED_WITHIN_S", 0.0)
    time.sleep(0.05)
    with pytest.raises(RestartNeeded, match=f"cut {cut.to_us} was not stored within 0 s, its table is at -1"):
        cuts.next_batch()


def test_a_pass_waits_for_its_interval_for_many_events_or_until_no_more_come(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A pass over few events costs about as much as one over many. So passes are counted, not hurried."""
    world = World(tmp_path, seed=1)
    cuts = SpineCuts(
        world.settings.model_copy(update={"materialize_interval": timedelta(minutes=5)}),
        world.spines[0],
        {PAYMENTS.name: EventsReader(tmp_path, PAYMENTS)},
        Rest(),
    )
    monkeypatch.setattr(SpineCuts, "_stored", lambda self: -1 if self._given is None else self._given)

    def look(archived: bool = True) -> int:
        """How many passes there are at the next look, after the watermark has moved."""
        before = watermark(world)
        while archived and watermark(world) == before:
            for _ in range(20):
                world.produce()
            world.archive()
        cuts._next = datetime.now(UTC)
        return len(cuts.next_batch())

    assert look() == 1, "the first one at once"
    assert [look() for _ in range(4)] == [0] * 4
    assert look(archived=False) == 1, "nothing more comes"
    assert look(archived=False) == 0, "there is nothing to do"
    assert look() == 0
    monkeypatch.setattr(cut_source, "_WORTH_A_PASS", 1)
    assert look() == 1, "many events"
    monkeypatch.setattr(cut_source, "_WORTH_A_PASS", 10**9)
    assert look() == 0
    cuts._given_at -= 300
    assert look() == 1, "the interval has passed"


def watermark(world: World) -> int:
    table = EventsReader(world.lake, PAYMENTS)
    return table.refresh()


def test_one_spine_sleeps_for_all_until_the_first_is_due_or_a_request_to_stop_may_wait(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    slept: list[float] = []
    monkeypatch.setattr(time, "sleep", slept.append)
    rest, now = Rest(), datetime.now(UTC)
    rest.due("first", now + timedelta(seconds=5))
    rest.due("second", now + timedelta(seconds=9))
    rest.sleep("second")
    assert slept == []
    rest.sleep("first")
    assert slept == [0.1]
    rest.due("second", datetime.now(UTC) - timedelta(seconds=1))
    rest.sleep("first")
    assert slept == [0.1, 0.0]
