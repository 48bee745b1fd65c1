"""The live page: a status, drawn with colours; rates follow from an earlier status."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator

from rich.console import Group, RenderableType
from rich.text import Text

from shared_features.counted import counted
from shared_features.kernel.event_time import SECOND_US
from streaming.operations.status.answer import GroupStatus, SourceStatus, Status
from streaming.operations.status.colours import BROKEN, UNKNOWN, WAITS, WELL
from streaming.operations.status.fitting import FittingTable
from streaming.operations.status.rates import SINKS, SourceRates, lag, source_rates
from streaming.operations.status.shard import shards_text
from streaming.operations.status.table import age, count, wait_text

_OVER_S, _STILL_S = 30.0, 20.0
_TRAFFIC_S, _STALE_S, _REASONS = 30.0, 60.0, 8
_LONG_S = 3 * 86_400.0


class StatusPages:
    """Pages of one look after the other. Rates are those of the last half minute: the archive commits now and then."""

    def __init__(self, observe: Callable[[], Status]) -> None:
        self._observe = observe
        self._looks: deque[Status] = deque()

    def next(self) -> tuple[int, RenderableType]:
        """Look. The instant of the look, and its page."""
        status = self._observe()
        while len(self._looks) > 1 and status.at_us - self._looks[0].at_us > _OVER_S * SECOND_US:
            self._looks.popleft()
        page = status_page(status, self._looks[0] if self._looks else None)
        self._looks.append(status)
        return status.at_us, page


def status_page(status: Status, before: Status | None = None) -> RenderableType:
    """`before`: an earlier look, from which the rates follow."""
    tables: tuple[RenderableType, ...] = (_sources(status, before), _groups(status), *_scores(status))
    parts = (*_notes(status), *tables, *_reasons(status, before))
    return Group(*(each for part in parts for each in (Text(), part)))


def _notes(status: Status) -> Iterator[Group]:
    """What is unavailable, and what is waited for."""
    lines = [Text(f"! {part}: {reason}", style=BROKEN) for part, reason in status.away.items()]
    lines += [Text(f"~ {wait_text(each, status.at_us)}", style=WAITS) for each in status.waits]
    if lines:
        yield Group(*lines)


def _sources(status: Status, before: Status | None) -> FittingTable:
    table = FittingTable("source", "arriving/s", "online/s", "lag", "archive/s", "lag", "archived", "late",
                         "duplicates", "dead letters", "stored up to", breaks=(6,))  # fmt: skip
    rates = source_rates(before, status)
    earlier = {each.source: each for each in before.sources} if before else {}
    for each in status.sources:
        own = rates.get(each.source, SourceRates())
        sinks = [cell for sink in SINKS for cell in (_rate(own.of(sink)), _lag(each, sink, own))]
        counts = (_count(each.events), _count(each.late, WAITS), _count(each.duplicates))
        dead = _dead(each, earlier.get(each.source))
        table.add_row(each.source, _rate(own.arriving), *sinks, *counts, dead, _ago(status, each.watermark_us))
    return table


def _lag(source: SourceStatus, sink: str, rates: SourceRates) -> Text:
    """Green: less than half a minute's traffic. Red: nothing of it was stored for as long as we look."""
    behind = lag(source, sink)
    if behind is None:
        return Text("-", style=UNKNOWN)
    if behind and rates.of(sink) == 0.0 and rates.seconds >= _STILL_S:
        return Text(f"{behind:,}", style=BROKEN)
    return Text(f"{behind:,}", style=WELL if behind <= _TRAFFIC_S * (rates.arriving or 0.0) else WAITS)


def _dead(source: SourceStatus, before: SourceStatus | None) -> Text:
    """Red: there are more than at the last look."""
    grew = before is not None and (source.dead_letters or 0) > (before.dead_letters or 0)
    return _count(source.dead_letters, BROKEN if grew else WAITS)


def _groups(status: Status) -> FittingTable:
    table = FittingTable("group", "shards", "", "lag", "freshness", "last commit", "on", "feature rows",
                         "complete up to", left=(1, 2, 6), breaks=(6,), row_names=(6,))  # fmt: skip
    for each in status.groups:
        for number, (spine, cut_us) in enumerate((each.cut_us or {"-": None}).items()):
            first = (each.group, *_shards(each), _count(each.lag), _fresh(each), Text(age(each.committed_age_s)))
            own = first if number == 0 else (each.group, *("",) * (len(first) - 1))
            table.add_row(*own, spine, _count(each.feature_rows.get(spine)), _ago(status, cut_us))
    return table


def _scores(status: Status) -> Iterator[RenderableType]:
    if status.scores:
        table = FittingTable("scores of view", "topic", "lag", left=(1,))
        for each in status.scores:
            table.add_row(each.view, each.topic, _count(each.lag))
        yield table


def _shards(group: GroupStatus) -> tuple[Text, Text]:
    """In words, and a bar with a cell for each shard, filled by how much of it is there."""
    if not group.shards:
        return Text("-", style=UNKNOWN), Text("")
    states = {each.state for each in group.shards}
    style = BROKEN if "absent" in states else WAITS if "behind" in states else WELL
    bar = Text()
    for each in group.shards:
        part = 1.0 if each.state == "live" else (each.percent or 0.0) / 100
        bar.append(
            " ▁▂▃▄▅▆▇█"[round(8 * part)] if part else "·", {"live": WELL, "behind": WAITS}.get(each.state, BROKEN)
        )
    return Text(shards_text(group.shards), style=style), bar


def _fresh(group: GroupStatus) -> Text:
    known = group.freshness_s
    return Text(age(known), style=UNKNOWN if known is None else WELL if known < _STALE_S else WAITS)


def _reasons(status: Status, before: Status | None) -> Iterator[RenderableType]:
    """The commonest reasons of dead letters. Red: more than at the last look."""
    earlier = {each.source: each.dead_letter_reasons for each in before.sources} if before else {}
    found = [(number, each, reason) for each in status.sources for reason, number in each.dead_letter_reasons.items()]
    if not found:
        return
    table = FittingTable("dead letters", "source", "reason", left=(1, 2))
    for number, source, reason in sorted(found, key=lambda each: -each[0])[:_REASONS]:
        grew = source.source in earlier and number > earlier[source.source].get(reason, 0)
        table.add_row(Text(f"{number:,}", style=BROKEN if grew else WAITS), source.source, Text(reason))
    yield table
    if len(found) > _REASONS:
        yield Text(
            f"  and {counted(len(found) - _REASONS, 'more reason')}: `dead-letters list --counts`", style=UNKNOWN
        )


def _count(number: int | None, above_zero: str = "") -> Text:
    return Text(count(number), style=UNKNOWN if number is None else above_zero if number else "")


def _rate(rate: float | None) -> Text:
    return (
        Text("-", style=UNKNOWN) if rate is None else Text(f"{rate:,.0f}" if rate >= 10 or not rate else f"{rate:.1f}")
    )


def _ago(status: Status, time_us: int | None) -> Text:
    known = None if time_us is None or time_us <= 0 else max(0.0, (status.at_us - time_us) / SECOND_US)
    if known is None:
        return Text("-", style=UNKNOWN)
    return Text(f"{age(known) if known < _LONG_S else f'{known / 86_400:,.0f} d'} ago")
