"""A file of old times is moved to now by one amount, and times that no window of now can hold are told."""

import json
import time

import pytest

from shared_features import load_definitions
from streaming.command_line import build_parser
from streaming.operations.produce.feed import feeds_of
from streaming.operations.produce.time_span import read_whole, warn_of_odd_times

FIRST_MS, HOUR_MS = 1_700_000_000_000, 3_600_000


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "samples.jsonl"
    rows = [{"sample": f"s{at}", "at": FIRST_MS + at, "probe": "p", "value": 1} for at in (0, HOUR_MS, 60_000)]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def feeds(file, *options):
    asked = build_parser().parse_args(["produce", str(file), "--source", "samples", *options])
    return feeds_of(load_definitions("tests.domains.probes"), asked)


def times_us(feed):
    return [known_us for known_us, *_ in feed.outgoing(0, 0)]


def test_the_newest_row_gets_the_time_and_the_others_keep_their_distance(file, capsys):
    (feed,) = feeds(file, "--move-to", "2026-01-02T03:04:05Z")
    at_us = 1_767_323_045_000_000
    assert times_us(feed) == [at_us - HOUR_MS * 1000, at_us, at_us - (HOUR_MS - 60_000) * 1000]
    _, _, _, _, event = next(iter(feed.outgoing(0, 0)))
    assert json.loads(event)["at"] == at_us // 1000 - HOUR_MS, "the event moves with its record"
    said = capsys.readouterr().out
    assert "the newest row, 2023-11-14T23:13:20Z, gets the time 2026-01-02T03:04:05Z" in said


def test_now_is_never_in_the_future(file):
    before_us = time.time_ns() // 1000 - 1_000_000
    (feed,) = feeds(file, "--move-to-now")
    assert before_us <= max(times_us(feed)) <= time.time_ns() // 1000


def test_two_files_move_by_one_amount(file, tmp_path):
    other = tmp_path / "more.jsonl"
    other.write_text(json.dumps({"sample": "o", "at": FIRST_MS - HOUR_MS, "probe": "p", "value": 1}) + "\n")
    asked = ["produce", str(file), str(other), "--source", "samples", "--move-to", "2026-01-02T03:04:05Z"]
    both = feeds_of(load_definitions("tests.domains.probes"), build_parser().parse_args(asked))
    assert times_us(both[1])[0] - times_us(both[0])[0] == -HOUR_MS * 1000


def test_rows_of_the_future_and_rows_before_every_window_are_told(file, capsys):
    known = feeds(file)
    read_whole(known, 0)
    warn_of_odd_times(known, FIRST_MS * 1000)
    assert (
        "its newest row, 2023-11-14T23:13:20Z, lies 1 h 0 min in the future. --move-to-now" in capsys.readouterr().out
    )
    warn_of_odd_times(known, (FIRST_MS + HOUR_MS) * 1000)
    assert capsys.readouterr().out == ""
    warn_of_odd_times(known, (FIRST_MS + 5_001 * HOUR_MS) * 1000)
    said = capsys.readouterr().out
    assert "is 208 d 8 h 0 min old, before every window of now. The longest one on samples is" in said
