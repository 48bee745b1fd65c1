"""The source of cuts waits until a cut is stored, but not for ever: the table may have been restored from a backup.

While it has nothing to do, its worker sleeps.
"""

import sys
import time
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import bytewax.operators as op
import pytest
from bytewax.dataflow import Dataflow
from bytewax.testing import TestingSink, run_main

from shared_features import DefinitionError, Field, Integer
from streaming.errors import RestartNeeded
from streaming.job.waits import waits
from streaming.lake.events_reader import EventsReader
from streaming.materialize import cut_source
from streaming.materialize.cut_source import CutSource, Rest, SpineCuts
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


@dataclass(frozen=True)
class Listed(Integer):
    """A type of a user's own, whose option cannot be part of a fingerprint."""

    known: frozenset[int] = frozenset((1, 2))


def test_a_wrong_definition_ends_the_process_and_is_not_waited_for_like_a_lake(tmp_path: Path) -> None:
    """It logged once that the lake cannot be read, and asked again each second for ever."""
    world = World(tmp_path, seed=1)
    for _ in range(20):
        world.produce()
    for _ in range(30):
        world.archive()
    wrong = replace(PAYMENTS, fields=(*PAYMENTS.fields, Field("kind", Listed(), optional=True)))
    cuts = SpineCuts(world.settings, world.spines[0], {PAYMENTS.name: EventsReader(tmp_path, wrong)}, Rest())
    with pytest.raises(DefinitionError, match=r"holds frozenset\({1, 2}\).* write a dataclass, tuple"):
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


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux counts how often a thread has gone to sleep")
def test_its_worker_sleeps_while_no_spine_is_due(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Bytewax counts a pause from the beginning of a call. It looked 400 times a second after each sleep."""
    world = World(tmp_path, seed=1)
    spines = {label: replace(world.spines[0], group=replace(world.spines[0].group, name=label)) for label in ("a", "b")}
    source = CutSource(world.settings, spines, {PAYMENTS.name: EventsReader(tmp_path, PAYMENTS)})
    flow = Dataflow("sleeps")
    op.output("out", op.input("cuts", flow, source), TestingSink([]))
    until_s = time.monotonic() + 3
    monkeypatch.setattr(cut_source, "stop_requested", lambda: time.monotonic() > until_s)
    before = sleeps()
    run_main(flow, epoch_interval=timedelta(milliseconds=10))
    assert sleeps() - before < 150


def sleeps() -> int:
    """How often this thread has gone to sleep up to now."""
    status = Path("/proc/thread-self/status").read_text()
    return int(next(line.split()[1] for line in status.splitlines() if line.startswith("voluntary_ctxt_switches")))


def test_one_spine_sleeps_for_all_until_the_first_is_due(monkeypatch: pytest.MonkeyPatch) -> None:
    slept: list[float] = []
    monkeypatch.setattr(cut_source, "wait", slept.append)
    rest, now = Rest(), datetime.now(UTC)
    rest.due("first", now + timedelta(hours=5))
    rest.due("second", now + timedelta(hours=9))
    rest.sleep("second")
    assert slept == []
    rest.sleep("first")
    assert slept == [1.0]
    rest.due("second", datetime.now(UTC) - timedelta(seconds=1))
    rest.sleep("first")
    assert slept == [1.0, 0.0]
