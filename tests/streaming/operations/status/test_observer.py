"""Status of a real redis-server, the simulator and a lake: running, not running, and gone."""

import json
import os
import subprocess
import sys

from confluent_kafka import Producer

from streaming.kafka.brokers.topics import Topics
from streaming.online_store.link import RedisLink
from streaming.online_store.score_positions import ScorePositions
from streaming.operations.check.command import find
from streaming.operations.status.answer import status_json
from streaming.operations.status.observer import StatusObserver
from streaming.operations.status.positions import DurablePositions
from streaming.operations.status.table import status_table
from tests.shared_features.formats.test_prediction_log import GOLDEN
from tests.streaming.operations.written_stores import GROUP, NOW_US, SOURCE, archive, commit_shards
from tests.streaming.processes import ROOT


def test_before_the_first_run_nothing_is_known_and_nothing_fails(settings):
    settings.lake.rmdir()
    status = StatusObserver(settings).observe()
    assert set(status.away) == {"lake"}
    assert status.groups[0].freshness_s is None
    assert status_table(status)
    assert {sink: set(found.values()) for sink, found in DurablePositions(settings)().items()} == {
        "online": {-1},
        "archive": {-1},
    }


def test_the_durable_position_is_the_smallest_of_all_shards_and_of_both_tables(settings):
    commit_shards(settings, [2, 1, 2, 2])
    archive(settings, events_at=2, dead_at=0)
    assert DurablePositions(settings)()["archive"][SOURCE.topic, 0] == 0
    assert DurablePositions(settings)()["online"][SOURCE.topic, 0] == -1, (
        "another group reads the topic and has nothing"
    )


def test_status_counts_what_the_stores_hold(settings):
    commit_shards(settings, [2, 1, 2, 2])
    archive(settings, events_at=1, dead_at=1)
    status = StatusObserver(settings, clock_us=lambda: NOW_US).observe()
    assert status.away == {}
    source = next(each for each in status.sources if each.source == SOURCE.name)
    assert (source.events, source.late, source.duplicates, source.dead_letters) == (4, 1, 1, 1)
    assert source.late_counted == 1
    assert source.watermark_us == NOW_US
    assert [(each.log_start, each.log_end, each.sinks["archive"]) for each in source.partitions] == [(0, 3, 1)] * 2
    assert source.partitions[0].lag("archive") == 1
    group = next(each for each in status.groups if each.group == GROUP.label)
    assert ([each.state for each in group.shards], group.lag) == (["live"] * 4, 2)
    assert (group.freshness_s, group.committed_age_s) == (5.0, 1.0)
    assert status_json(status)["sources"][1]["partitions"][0]["lag"] == {"online": 3, "archive": 1}
    table = status_table(status)
    assert GROUP.label in table
    assert "5.0 s" in table


def test_the_prediction_log_is_listed_with_its_lag_and_its_topic_is_named_while_it_is_missing(settings, servers):
    simulator, _ = servers
    logging = settings.model_copy(update={"prediction_log_topic": "predictions"})
    status = StatusObserver(logging).observe()
    assert status.away == {"topic predictions": "does not exist"}
    assert [each.partitions for each in status.sources if each.source == "prediction_log"] == [[]]
    assert [each.about for each in find(logging) if "prediction log" in each.text] == ["topic predictions"]
    assert not any(each.stops_run for each in find(logging) if each.about == "topic predictions")
    simulator.create_topic("predictions", 1)
    producer = Producer({"bootstrap.servers": simulator.bootstrap_servers})
    producer.produce("predictions", GOLDEN.encode())
    assert producer.flush(60) == 0
    status = StatusObserver(logging).observe()
    assert status.away == {}
    assert status_json(status)["sources"][-1]["partitions"][0]["lag"] == {"archive": 1}


def test_the_scores_of_a_view_are_listed_with_what_has_no_score_yet(settings, servers):
    scoring = settings.model_copy(update={"score_topics": {"fraud": "fraud_scores"}})
    status = StatusObserver(scoring).observe()
    assert [(each.view, each.topic, each.lag) for each in status.scores] == [("fraud", "fraud_scores", None)]
    assert [each.text for each in find(scoring) if each.about == "topic fraud_scores"] == [
        "does not exist. Create the topic of the scores of view fraud. Nothing is scored until then"
    ]
    topic = Topics(settings).describe([SOURCE.topic])[SOURCE.topic]
    positions = ScorePositions(RedisLink(settings), settings.redis_namespace, "fraud")
    positions.write({(topic.name, topic.id, 0): 0, (topic.name, topic.id, 1): 2})
    status = StatusObserver(scoring).observe()
    assert status_json(status)["scores"] == [{"view": "fraud", "topic": "fraud_scores", "lag": 2}]
    assert ["fraud", "fraud_scores", "2"] in map(str.split, status_table(status).splitlines())


def test_each_part_that_is_away_is_said_and_takes_nothing_from_the_others(settings):
    commit_shards(settings, [2, 2, 2, 2])
    archive(settings, events_at=2, dead_at=2)
    gone = settings.model_copy(update={"redis_url": "redis://127.0.0.1:1/0"})
    status = StatusObserver(gone).observe()
    assert set(status.away) == {"Redis"}
    assert status.sources[1].events == 4
    assert status.sources[1].partitions[0].sinks == {"online": None, "archive": 2}
    assert DurablePositions(gone)()["online"][SOURCE.topic, 0] == -1


def test_the_command_line_says_what_is_away_and_never_shows_a_traceback(tmp_path):
    environment = {
        **os.environ,
        "KAFKA_BOOTSTRAP_SERVERS": "127.0.0.1:1",
        "REDIS_URL": "redis://127.0.0.1:1/0",
        "MILLRACE_LAKE": str(tmp_path / "none"),
    }
    said = {}
    for arguments, code in ((["status", "--json"], 0), (["check"], 1)):
        command = [sys.executable, "-m", "streaming", *arguments]
        ended = subprocess.run(
            command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=240, check=False
        )
        assert ended.returncode == code, ended.stderr
        assert "Traceback" not in ended.stderr
        said[arguments[0]] = ended
    assert set(json.loads(said["status"].stdout)["away"]) == {"Kafka", "Redis", "lake"}
    assert "away     Kafka: cannot be reached at 127.0.0.1:1" in said["check"].stderr
