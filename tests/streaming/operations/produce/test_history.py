"""History where the brokers stamp the records: refused, wherever in the file it stands."""

import json
import time

import pytest

from shared_features import load_definitions
from streaming.command_line import build_parser
from streaming.errors import RefusedError
from streaming.operations.produce import feed
from streaming.operations.produce.history import refuse_history
from streaming.settings import load_settings

NOW_US = time.time_ns() // 1000
OLD_MS = 1_700_000_000_000


@pytest.fixture
def feeds(tmp_path, monkeypatch):
    """A file whose second row is old, and of which the first row is the sample."""
    monkeypatch.setattr(feed, "SAMPLE", 1)
    file = tmp_path / "samples.jsonl"
    rows = [{"sample": f"s{at}", "at": at, "probe": "p", "value": 1} for at in (NOW_US // 1000, OLD_MS)]
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    options = build_parser().parse_args(["produce", str(file), "--source", "samples"])
    return feed.feeds_of(load_definitions("tests.domains.probes"), options)


def test_history_behind_the_sample_is_refused_once_it_is_read(feeds):
    live = load_settings(definitions="tests.domains.probes", topic_mode="live")
    refuse_history(live, feeds, NOW_US)  # the sample alone is of now
    list(feeds[0].outgoing(0, NOW_US))
    with pytest.raises(RefusedError, match="is history: its rows begin at 2023-11-14T22:13:20Z"):
        refuse_history(live, feeds, NOW_US)


def test_topics_that_keep_the_times_of_producers_take_history(feeds):
    list(feeds[0].outgoing(0, NOW_US))
    refuse_history(load_settings(definitions="tests.domains.probes", topic_mode="embedded"), feeds, NOW_US)
