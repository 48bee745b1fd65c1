"""The stream is at rest when nobody sends, the sinks have what was sent, and feature rows are as far as the archive."""

import pyarrow as pa
import pytest
from deltalake import CommitProperties, Transaction, write_deltalake

from deploy.local.parts.stream_rest import StreamRest
from deploy.local.parts.unread_records import Unread
from shared_features.definitions import load_definitions
from shared_features.formats.offline_tables import CUT_APP, WATERMARK_APP, events_table, features_table
from streaming.operations.produce.presence import present
from streaming.settings import load_settings

CATALOGUE = load_definitions("tests.domains.machines")
HOUR_US = 3_600_000_000


class World:
    def __init__(self, lake):
        self.lake, self.unread = lake, Unread(1_000, 0)
        settings = load_settings(definitions="tests.domains.machines", lake=lake)
        self.unrest = StreamRest(settings, CATALOGUE, lambda: self.unread)

    def stands(self, name, application, position):
        transaction = CommitProperties(app_transactions=[Transaction(application, position)])
        write_deltalake(self.lake / name, pa.table({"x": [1]}), mode="append", commit_properties=transaction)


@pytest.fixture
def world(tmp_path):
    return World(tmp_path)


def test_a_producer_that_waits_is_still_sending(world):
    assert world.unrest() is None
    with present(world.lake):
        assert world.unrest() == "`produce` is still sending"
    assert world.unrest() is None


@pytest.mark.parametrize(
    ("unread", "said"),
    [
        (Unread(30_000, 20_180), "20,180 records are not stored yet"),
        (Unread(30_000, 12), None),  # live events are always on their way
        (None, "Kafka gives no answer"),
    ],
)
def test_what_only_the_log_holds_is_waited_for(world, unread, said):
    world.unread = unread
    assert world.unrest() == said


def test_feature_rows_that_are_behind_the_archive_are_waited_for(world):
    for source in CATALOGUE.sources:
        world.stands(events_table(source), WATERMARK_APP, 10 * HOUR_US)
    for group, spine in CATALOGUE.spines:
        assert world.unrest() is not None
        world.stands(features_table(group, spine), CUT_APP, HOUR_US)
        assert world.unrest() is not None
        world.stands(features_table(group, spine), CUT_APP, 10 * HOUR_US)
    assert world.unrest() is None
