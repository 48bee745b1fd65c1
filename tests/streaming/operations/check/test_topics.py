"""What check says of one topic's configuration, and of one stored position: tables, no server."""

import pytest

from streaming.kafka.brokers.topics import Bounds, Topic
from streaming.operations.check.topics import check_position, config_findings


@pytest.mark.parametrize(
    ("mode", "config", "level", "says"),
    [
        ("live", {"message.timestamp.type": "CreateTime"}, "refused", "LogAppendTime"),
        ("live", {"message.timestamp.type": "LogAppendTime", "retention.ms": "3600000"}, "warning", "1 hours"),
        ("live", {"message.timestamp.type": "LogAppendTime", "cleanup.policy": "compact"}, "refused", "delete"),
        ("import", {"message.timestamp.type": "LogAppendTime", "retention.ms": "-1"}, "refused", "CreateTime"),
        ("import", {"message.timestamp.type": "CreateTime", "retention.ms": "604800000"}, "refused", "-1"),
        ("embedded", {"cleanup.policy": "compact,delete"}, "refused", "compact"),
        ("embedded", {"unclean.leader.election.enable": "true"}, "warning", "unclean"),
    ],
)
def test_a_topic_that_does_not_fit_its_mode_is_told_what_to_do(mode, config, level, says):
    (found,) = config_findings("topic x", mode, config)
    assert found.level == level
    assert says in found.text


@pytest.mark.parametrize(
    ("mode", "config"),
    [
        ("live", {"message.timestamp.type": "LogAppendTime", "retention.ms": "604800000", "cleanup.policy": "delete"}),
        ("import", {"message.timestamp.type": "CreateTime", "retention.ms": "-1", "retention.bytes": "-1"}),
        ("embedded", {"message.timestamp.type": "CreateTime", "retention.ms": "-1"}),
    ],
)
def test_a_topic_that_fits_its_mode_is_not_found_fault_with(mode, config):
    assert not list(config_findings("topic x", mode, config))


def test_records_that_retention_deleted_are_a_warning_and_fewer_partitions_are_refused():
    topics, bounds = {"t": Topic("t", "id", (0,))}, {("t", 0): Bounds(10, 20)}
    (gap,) = check_position("shard", ("t", "id", 0), 4, topics, bounds)
    assert (gap.level, gap.text.split()[0]) == ("warning", "5")
    (lost,) = check_position("shard", ("t", "id", 3), 4, topics, bounds)
    assert (lost.level, "1 partitions" in lost.text) == ("refused", True)
    assert not list(check_position("shard", ("t", "id", 0), 19, topics, bounds))
