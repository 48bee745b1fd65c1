"""The dataflow itself, under Bytewax: what it writes is what its definition says, over drains and restarts."""

from datetime import timedelta

import pytest
from deltalake import DeltaTable

from shared_features.formats.offline_tables import CUT_APP, features_table, snapshots_table
from streaming.archive.stored_log import Marked
from streaming.materialize import cut_source
from streaming.materialize.dataflow import run
from streaming.replay.spine import settings_spines
from streaming.settings import load_settings
from tests.streaming.kafka_log import TOPIC_ID
from tests.streaming.materialize.world import LATENESS, SOURCES, S, World, check_rows, read_events


@pytest.fixture
def world(tmp_path):
    return World(tmp_path, 5)


def settings_of(world, **more):
    return load_settings(
        lake=world.lake,
        definitions="tests.streaming.small_domain",
        allowed_lateness=timedelta(microseconds=LATENESS),
        materialize_interval=timedelta(milliseconds=50),
        snapshot_interval=timedelta(seconds=1),
        **more,
    )


def drain_at(monkeypatch, settings, cut_us):
    """Ask to stop as soon as every spine has stored the cut."""

    def reached(spine):
        path = settings.lake / features_table(spine.group, spine.source)
        if not DeltaTable.is_deltatable(str(path)):
            return False
        version = DeltaTable(path).transaction_version(CUT_APP)
        return version is not None and version >= cut_us

    monkeypatch.setattr(cut_source, "stop_requested", lambda: all(map(reached, settings_spines(settings).values())))


def test_rows_are_right_over_a_drain_and_a_restart_from_its_snapshot(world, monkeypatch):
    settings = settings_of(world)
    for _ in range(2):
        for _ in range(120):
            world.produce()
        world.archives = [world.open_archive()]
        for _ in range(12):
            world.archive()
        tables = world.archives[0]
        cut = min(table.positions.watermark_us for table in tables.values())
        assert cut > 0
        drain_at(monkeypatch, settings, cut)
        assert run(settings) == 0
        spines = settings_spines(settings)
        for spine in spines.values():
            assert DeltaTable(world.lake / snapshots_table(spine.group, spine.source)).count() > 0
    world.now += 500 * S
    for name, table in world.open_archive().items():
        keys = [key for key in world.log.all() if key[0] == name]
        positions = {key: table.positions.offsets[SOURCES[name].topic, TOPIC_ID, key[1]] for key in keys}
        table.take([Marked(world.log.poll(key, held), world.now) for key, held in positions.items()])
    drain_at(monkeypatch, settings, world.now)
    assert run(settings) == 0
    stored = {name: read_events(world.lake, source) for name, source in SOURCES.items()}
    for spine in settings_spines(settings).values():
        check_rows(world.lake, spine, stored)


def test_another_allowed_lateness_over_the_same_tables_is_refused(world, monkeypatch):
    settings = settings_of(world)
    world.produce()
    monkeypatch.setattr(cut_source, "stop_requested", lambda: True)
    assert run(settings) == 0
    other = settings.model_copy(update={"allowed_lateness": timedelta(seconds=13)})
    assert run(other) == 1
