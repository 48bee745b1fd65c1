"""The source of cuts waits until a cut is stored, but not for ever: the table may have been restored from a backup."""

import time
from datetime import timedelta
from pathlib import Path

import pytest

from streaming.errors import RestartNeeded
from streaming.job.waits import waits
from streaming.lake.events_reader import EventsReader
from streaming.materialize import cut_source
from streaming.materialize.cut_source import SpineCuts
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
    cuts = SpineCuts(often, spine, {PAYMENTS.name: EventsReader(tmp_path, PAYMENTS)})
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
