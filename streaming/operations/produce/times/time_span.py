"""The span of the rows' times beside now: all times moved so that it ends now, and what is odd about where it lies."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Iterator, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Protocol

from shared_features.definitions import EventSource, FeatureGroup
from shared_features.kernel.event_time import DAY_US, HOUR_US, MINUTE_US, SECOND_US, spelled_duration, to_text
from streaming.job.clock import system_clock_us
from streaming.operations.file_arguments import NOW
from streaming.operations.produce.rows.file_rows import Row
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

    def all_rows(self) -> Iterator[Row]: ...
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
    """Say where rows lie in the future, or before windows of now."""
    for feed in feeds:
        newest = feed.times.newest
        if newest is None:
            continue
        name, source, ahead_us = feed.path.name, feed.encoder.source, newest.time_us - now_us
        if ahead_us > SECOND_US:
            say(f"! {name}: its newest row, {to_text(newest.time_us)}, lies {_length(ahead_us)} in the future. "
                f"{_future_advice(feed, now_us)}")  # fmt: skip
        elif (longest_us := longest_window_us(source, feed)) and -ahead_us > longest_us:
            say(f"! {name}: its newest row, {to_text(newest.time_us)}, is {_length(-ahead_us)} old, before every "
                f"window of now. The longest one on {source.name} is {_length(longest_us)}. {_ADVICE}")  # fmt: skip
        elif empty := _empty_windows(feed, feeds, newest.time_us, -ahead_us):
            say(f"{name}: its newest row is {_length(-ahead_us)} old: windows of {empty} are empty until newer events "
                f"come. {_ADVICE}")  # fmt: skip
        if newest.stragglers and newest.farthest_us - now_us > SECOND_US >= ahead_us:
            say(f"! {name}: {_rows(newest.stragglers)} far ahead of all others, up to {to_text(newest.farthest_us)}, "
                "in the future. Correct that time if it is wrong")  # fmt: skip


def _future_advice(feed: Feed, now_us: int) -> str:
    """What to do about rows that lie in the future. Where --arrival alone puts them there, moving them is wrong."""
    reading = feed.encoder.reading
    if reading.arrival is None and not reading.known_after_us:
        return _ADVICE
    happened_us = [at for row in feed.all_rows() if (at := feed.encoder.happened_us(row)) is not None]
    if not happened_us or max(happened_us) - now_us > SECOND_US:
        return _ADVICE
    return (
        f"Only --arrival puts it there: no row happened after {to_text(max(happened_us))}. Sent now, it counts as "
        "known now. Leave out --arrival for rows that are live, or send them when they are known"
    )


def _empty_windows(feed: Feed, feeds: Sequence[Feed], newest_us: int, age_us: int) -> str:
    """The windows that hold no row of the files, as "3 h and 6 h"; empty where there are none.

    A group that reads a newer row of another file is left out: that file says what is empty.
    """
    lengths_us: set[int] = set()
    for group in feed.groups:
        others = [each.times.newest for each in feeds if each.encoder.source in group.sources]
        newest = all(each is None or each.time_us <= newest_us for each in others)
        if feed.encoder.source in group.sources and newest:
            lengths_us |= {each.length_us for each in group.layout.features if each.length_us + each.hop_us < age_us}
    texts = [spelled_duration(timedelta(microseconds=each)) for each in sorted(lengths_us)]
    return " and ".join([", ".join(texts[:-1]), texts[-1]] if len(texts) > 1 else texts)


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
