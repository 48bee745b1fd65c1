"""A file of old times is moved to now by one amount, and times that no window of now can hold are told."""

import json
import time

import pytest

from shared_features import load_definitions
from shared_features.kernel.event_time import to_text
from streaming.command_line import build_parser
from streaming.operations.produce.command import say_fit
from streaming.operations.produce.feed import feeds_of
from streaming.operations.produce.times.time_span import read_whole, warn_of_odd_times
from streaming.settings import load_settings

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


def told_of(feeds, now_us, capsys):
    read_whole(feeds, now_us)
    capsys.readouterr()
    warn_of_odd_times(feeds, now_us)
    return capsys.readouterr().out


@pytest.mark.parametrize("arrival", ["+1h", "known"])
def test_live_rows_that_only_arrival_puts_in_the_future_are_not_to_be_moved(arrival, tmp_path, capsys):
    path = tmp_path / "live.jsonl"
    row = {"sample": "s", "at": FIRST_MS, "probe": "p", "value": 1, "known": FIRST_MS + HOUR_MS}
    path.write_text(json.dumps(row) + "\n")
    two_minutes_later_us = (FIRST_MS + 120_000) * 1000
    said = told_of(feeds(path, "--arrival", f"samples={arrival}"), two_minutes_later_us, capsys)
    assert "its newest row, 2023-11-14T23:13:20Z, lies 0 h 58 min in the future. Only --arrival puts it there" in said
    assert "Leave out --arrival for rows that are live" in said
    assert "--move" not in said
    said = told_of(feeds(path, "--arrival", f"samples={arrival}"), (FIRST_MS - 120_000) * 1000, capsys)
    assert "--move-to-now" in said, "it lies in the future without --arrival too"


def test_windows_that_end_up_empty_are_told(file, tmp_path, capsys):
    """The windows on samples are of 1 h and 1 d."""
    newest_us, hour_us = (FIRST_MS + HOUR_MS) * 1000, HOUR_MS * 1000
    assert told_of(feeds(file), newest_us + hour_us // 2, capsys) == ""
    assert (
        "samples.jsonl: its newest row is 10 h 0 min old: windows of 1 h are empty until newer events come. "
        "--move-to-now moves" in told_of(feeds(file), newest_us + 10 * hour_us, capsys)
    )


def test_a_newer_file_of_the_same_group_says_what_is_empty(file, tmp_path, capsys):
    newer = tmp_path / "newer.jsonl"
    newer.write_text(json.dumps({"sample": "n", "at": FIRST_MS + 9 * HOUR_MS, "probe": "p", "value": 1}) + "\n")
    asked = ["produce", str(file), str(newer), "--source", "samples"]
    both = feeds_of(load_definitions("tests.domains.probes"), build_parser().parse_args(asked))
    assert told_of(both, (FIRST_MS + 9 * HOUR_MS) * 1000, capsys) == ""
    assert told_of(both, (FIRST_MS + 13 * HOUR_MS) * 1000, capsys).count("are empty") == 1


@pytest.fixture
def with_a_straggler(tmp_path):
    """A row every half hour for 30 days; the clock of one of them is 40 years ahead."""
    path = tmp_path / "samples.jsonl"
    times = [FIRST_MS + each * HOUR_MS // 2 for each in range(30 * 48)]
    times[700] += 40 * 365 * 24 * HOUR_MS
    rows = [{"sample": f"s{at}", "at": at, "probe": "p", "value": 1} for at in times]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path, times[-1]


def test_one_row_far_ahead_does_not_decide_where_the_others_go(with_a_straggler, capsys):
    """Otherwise all of them would lie 40 years before now. What becomes of it is said, and the check shows it."""
    path, last_ms = with_a_straggler
    (feed,) = feeds(path, "--move-to-now")
    now_us = time.time_ns() // 1000
    times = sorted(times_us(feed))
    assert now_us - times[-2] < HOUR_MS * 1000
    assert times[-1] > now_us + 30 * 365 * 24 * HOUR_MS * 1000
    said = capsys.readouterr().out
    assert f"the newest row, {to_text(last_ms * 1000)}, gets the time" in said
    assert "! samples.jsonl: 1 row lies 14,584 d 14 h 30 min ahead of all others" in said
    assert (
        "In the future then, it becomes a dead letter. If that time is right, move by whole days: --move-days N" in said
    )
    assert say_fit(feed, load_settings(topic_mode="embedded"), now_us) == 1
    assert "1 would be a dead letter: " in capsys.readouterr().out
    warn_of_odd_times([feed], now_us)
    said = capsys.readouterr().out
    assert "! samples.jsonl: 1 row lies far ahead of all others" in said
    assert "--move-to-now" not in said, "it was done, and would not help"
