"""On Apache Kafka itself: a replay that was only asleep cannot send any more once another has begun."""

from __future__ import annotations

from pathlib import Path

import pytest

from streaming.errors import RefusedError
from streaming.kafka.brokers.topics import Topics, partitions_of
from streaming.operations.dead_letters.letter import Letter
from streaming.operations.dead_letters.mending import Mended
from streaming.operations.dead_letters.replay_record import Original
from streaming.operations.dead_letters.resending import Resender, find_sent
from streaming.settings import load_settings
from tests.end_to_end.brokers import proper_kafka
from tests.streaming.operations.stored_world import read_records


@pytest.mark.kafka
def test_a_zombie_sends_nothing_and_what_it_left_open_never_appears(tmp_path: Path) -> None:
    with proper_kafka(tmp_path) as kafka:
        kafka.create_topic("readings", 1)
        settings = load_settings(kafka_bootstrap_servers=kafka.bootstrap_servers)
        letter = Letter("readings", 0, 7, 1, 1, "no JSON", b"k", b"{")
        batches = [
            {Original("readings", "id", 0, offset): Mended(letter, b"%d" % offset, None, None)} for offset in range(3)
        ]
        asleep = Resender(settings, "record")
        sent = asleep.send(batches[0])
        asleep._producer.begin_transaction()
        asleep._produce(*next(iter(batches[1].items())), {})
        asleep._producer.flush(60)  # it is in the log, and not committed
        after = Resender(settings, "record")
        look = Topics(settings, within_s=60.0)
        bounds = look.bounds(partitions_of(look.describe(["readings"]).values()))
        intended = {of: 0 for batch in batches for of in batch}
        assert find_sent(settings, intended, bounds) == sent
        with pytest.raises(RefusedError):
            asleep.send(batches[2])
        after.send(batches[1])
        bounds = look.bounds(partitions_of(look.describe(["readings"]).values()))
        assert set(find_sent(settings, intended, bounds)) == {*batches[0], *batches[1]}
        records = read_records(kafka.bootstrap_servers, "readings", 0, bounds["readings", 0].high)
        assert [message.value() for message in records] == [b"0", b"1"]
