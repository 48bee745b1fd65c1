"""The span of the rows' times beside now: all times moved so that it ends now, and what is odd about where it lies."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Protocol

from shared_features.definitions import EventSource, FeatureGroup
from shared_features.kernel.event_time import DAY_US, HOUR_US, MINUTE_US, SECOND_US, to_text
from streaming.job.clock import system_clock_us
from streaming.operations.file_arguments import NOW
from streaming.operations.produce.rows.row_encoder import RowEncoder
from streaming.operations.produce.times.arrival_order import Outgoing
from streaming.operations.produce.times.seen_times import SeenTimes, newest_of
from streaming.operations.saying import say


class Feed(Protocol):
    """What is asked of a `feed.Feed` here."""

    path: Path
    encoder: RowEncoder
    groups: tuple[FeatureGroup, ...]
    times: SeenTimes

    def outgoing(self, number: int, now_us: int) -> Iterator[Outgoing]: ...
    def move(self, moved_us: int) -> None: ...


def read_whole(feeds: Sequence[Feed], now_us: int) -> None:
    """Read every row, so that the feeds know their first and their newest one."""
    for number, feed in enumerate(feeds):
        for _ in feed.outgoing(number, now_us):
            pass


def move_to(feeds: Sequence[Feed], options: Namespace) -> None:
    """Move all times of all feeds by as much, so that the newest row becomes known at --move-to.

    One row far ahead of all others does not decide: all the others would leave the windows of now.
    """
    now_us = system_clock_us()
    options.moved_to_us = now_us // SECOND_US * SECOND_US if options.move_to == NOW else options.move_to
    read_whole(feeds, now_us)
    newest = newest_of(each.times for each in feeds)
    if newest is None:
        return
    moved_us = options.moved_to_us - newest.time_us
    say(f"all times are moved by {_length(moved_us)}: the newest row, {to_text(newest.time_us)}, gets the time "
        f"{to_text(options.moved_to_us)}")  # fmt: skip
    for feed in feeds:
        if own := _stragglers(feed, newest.time_us):
            say(f"! {feed.path.name}: {own}")
    for feed in feeds:
        feed.move(moved_us)


def _stragglers(feed: Feed, newest_us: int) -> str:
    """What happens to the rows of a feed that do not decide, because they lie far ahead; empty where there are none."""
    count, farthest_us = feed.times.after(newest_us)
    if not count:
        return ""
    one = count == 1
    if feed.encoder.reading.arrival is None and not feed.encoder.reading.known_after_us:
        fate = "it becomes a dead letter" if one else "they become dead letters"
    else:
        fate = "it counts as known now" if one else "they count as known now"
    return (
        f"{_rows(count)} {_length(farthest_us - newest_us)} ahead of all others, up to {to_text(farthest_us)}. In the "
        f"future then, {fate}. If that time is right, move by whole days: --move-days N"
    )


def _rows(count: int) -> str:
    return "1 row lies" if count == 1 else f"{count:,} rows lie"


def warn_of_odd_times(feeds: Sequence[Feed], now_us: int) -> None:
    """Say where rows lie in the future, or before every window of now."""
    for feed in feeds:
        newest = feed.times.newest
        if newest is None:
            continue
        name, source, ahead_us = feed.path.name, feed.encoder.source, newest.time_us - now_us
        if ahead_us > SECOND_US:
            say(f"! {name}: its newest row, {to_text(newest.time_us)}, lies {_length(ahead_us)} in the future. "
                f"{_ADVICE}")  # fmt: skip
        elif (longest_us := longest_window_us(source, feed)) and -ahead_us > longest_us:
            say(f"! {name}: its newest row, {to_text(newest.time_us)}, is {_length(-ahead_us)} old, before every "
                f"window of now. The longest one on {source.name} is {_length(longest_us)}. {_ADVICE}")  # fmt: skip
        if newest.stragglers and newest.farthest_us - now_us > SECOND_US >= ahead_us:
            say(f"! {name}: {_rows(newest.stragglers)} far ahead of all others, up to {to_text(newest.farthest_us)}, "
                "in the future. Correct that time if it is wrong")  # fmt: skip


def longest_window_us(source: EventSource, feed: Feed) -> int:
    """The longest window over events of the source. 0: no group reads the source."""
    groups = [group for group in feed.groups if source in group.sources]
    return max((each.length_us for group in groups for each in group.layout.features), default=0)


def _length(span_us: int) -> str:
    """A length of time, for people.

    >>> _length(90_000_000_000), _length(-7_200_000_000), _length(3_000_000)
    ('1 d 1 h 0 min', '-2 h 0 min', '3 s')
    """
    sign, left_us = ("-" if span_us < 0 else ""), abs(span_us)
    if left_us < MINUTE_US:
        return f"{sign}{left_us / 1e6:.3g} s"
    days, left_us = divmod(left_us, DAY_US)
    hours, left_us = divmod(left_us, HOUR_US)
    return sign + (f"{days:,} d " if days else "") + f"{hours} h {left_us // MINUTE_US} min"


_ADVICE = "--move-to-now moves the times of all files of one command, so that the newest row is of now"
