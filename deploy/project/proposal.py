"""What is proposed for a file: names, columns with their roles, windows, and what the features are about."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import pairwise
from typing import Any

from deploy.project.columns.column import Column, look_at
from deploy.project.columns.field_names import mapped
from deploy.project.roles.leaks import doubts, given_away
from deploy.project.roles.roles import Roles, guess_roles, wait_us
from deploy.project.seen_columns import seen_columns
from deploy.project.wishes import Wishes
from shared_features.definitions import Boolean, Decimal, Integer, Text, Timestamp
from shared_features.kernel.event_time import DAY_US
from streaming.operations.produce.rows.file_rows import Row
from streaming.operations.produce.times.arrival_text import written_after

_MINUTE_US = 60_000_000
WindowLength = tuple[str, str]
"""The length of a window as it is written, and as it stands in the name of a feature."""

_WINDOW_LENGTHS: tuple[tuple[int, tuple[WindowLength, WindowLength, WindowLength]], ...] = (
    (5 * _MINUTE_US, (("minutes(10)", "10m"), ("hours(1)", "1h"), ("days(1)", "1d"))),
    (DAY_US, (("hours(1)", "1h"), ("days(1)", "1d"), ("days(7)", "7d"))),
    (1 << 62, (("days(1)", "1d"), ("days(7)", "7d"), ("days(30)", "30d"))),
)
_OUTCOME = (
    "it looks like an outcome, or like the time of one, which a request cannot know. Send outcomes to a topic of their "
    "own, then add an event source and `labels`: docs/definitions.md, section 4"
)
_ID_ENDS = ("id", "uuid", "guid", "no", "nr", "number", "key", "code", "zip", "year", "version", "status", "postcode")


@dataclass(frozen=True)
class Proposal:
    """source: name of the event source. columns: those that a field takes. left: those that none takes."""

    project: str
    source: str
    columns: tuple[Column, ...]
    left: tuple[Column, ...]
    names: dict[str, str]
    roles: Roles
    delay_asked_us: int | None = None
    decimal_comma: bool = False

    @cached_property
    def spine(self) -> tuple[Column, ...]:
        """The columns of the event: all but those that become known with it or with the outcome."""
        needed = (self.roles.time, self.roles.id, self.roles.key)
        out = [self.roles.label, *self.roles.later, self.roles.arrival]
        return tuple(
            each.required() if each in needed else each for each in self.columns if not any(each is one for one in out)
        )

    @cached_property
    def labels(self) -> tuple[Column, ...]:
        """The columns of the label's event: what names its event, the time, the outcome. Empty without a label."""
        if self.roles.label is None:
            return ()
        known = self.roles.label_time or self.roles.time
        wanted = {each.name: each.required() for each in (*self.roles.joins, known, self.roles.label)}
        return tuple(wanted.values())

    @cached_property
    def doubts(self) -> dict[str, str]:
        """Column -> why it may be known only after the outcome."""
        return doubts(self.spine, self.roles)

    @property
    def label_source(self) -> str:
        name = self.roles.label.field.lower() if self.roles.label else ""
        return plain_name(f"{self.source}_{name}")

    @property
    def entity(self) -> str:
        stem = re.sub(
            r"_(id|uuid|guid|no|nr|number|key|code|ref|name)$", "", plain_name("_".join(self.roles.key.words))
        )
        return stem or "entity"

    @cached_property
    def numbers(self) -> tuple[Column, ...]:
        """The columns that measure something: numbers and truths that are neither ids nor keys."""
        taken = (self.roles.id.name, self.roles.key.name, self.roles.time.name)
        return tuple(
            each for each in self.spine
            if isinstance(each.type, Decimal | Integer | Boolean) and each.name not in taken
            and not (isinstance(each.type, Integer) and each.words[-1:] and each.words[-1] in _ID_ENDS)
        )  # fmt: skip

    @property
    def measures(self) -> tuple[Column, ...]:
        """The numbers that a mean is taken of: those with decimals first."""
        found = [each for each in self.numbers if isinstance(each.type, Decimal | Integer)]
        return tuple(sorted(found, key=lambda each: (each.optional, isinstance(each.type, Integer))))[:3]

    @property
    def category(self) -> Column | None:
        """The text with the fewest different values."""
        taken = (self.roles.id.name, self.roles.key.name)
        texts = [each for each in self.spine if isinstance(each.type, Text) and each.name not in taken]
        found = [each for each in texts if 2 <= len(each.counts) <= 0.5 * each.counts.total()]
        return min(found, key=lambda each: len(each.counts), default=None)

    @cached_property
    def window_lengths(self) -> tuple[WindowLength, WindowLength, WindowLength]:
        """Windows that hold several events: they follow from the usual distance of an entity's events."""
        return next(lengths for below, lengths in _WINDOW_LENGTHS if self.usual_gap_us < below)

    @cached_property
    def usual_gap_us(self) -> int:
        """The middle distance of two events of one entity; 0 where there are none."""
        times: dict[Any, list[int]] = {}
        for key, at in zip(self.roles.key.values, self.roles.time.instants, strict=True):
            if key is not None and at is not None:
                times.setdefault(key, []).append(at)
        gaps = sorted(b - a for each in times.values() for a, b in pairwise(sorted(each)))
        return gaps[len(gaps) // 2] if gaps else 0

    @property
    def delay_us(self) -> int:
        """As asked for; else how long until 95 of 100 outcomes are known, or 99 where a missing one means false."""
        if self.delay_asked_us is not None:
            return self.delay_asked_us
        if self.roles.label_arrival is not None:
            return wait_us(self.roles.label_arrival, self.roles.time, 0.99)
        return wait_us(self.roles.label_time, self.roles.time, 0.95) if self.roles.label_time else self.roles.horizon_us

    @property
    def arrivals(self) -> dict[str, str]:
        """Source -> its --arrival. An outcome without a time of its own is known when its row is and its delay is over.

        Without that delay, a feature of past outcomes would count an outcome that nobody knew yet.
        """
        row, outcome = self.roles.arrival, self.roles.label_arrival
        found = {} if row is None else {self.source: row.name}
        if outcome is not None:
            found[self.label_source] = outcome.name
        elif self.roles.label is not None and self.roles.label_time is None:
            found[self.label_source] = ("" if row is None else row.name) + written_after(self.delay_us)
        return {source: arrival for source, arrival in found.items() if arrival}

    def times_of(self, rows: Sequence[Row]) -> Iterator[tuple[str, list[int]]]:
        """The times of rows of the file, column by column: of each event, of its arrival, and of its outcome."""
        roles = self.roles
        for each in (roles.time, roles.arrival, roles.label_time, roles.label_arrival):
            if each is not None:
                found = look_at(each.name, each.field, [row.get(each.name) for row in rows], is_time=True)
                if isinstance(found.type, Timestamp):
                    yield each.name, [at for at in found.instants if at is not None]

    @property
    def maps(self) -> dict[str, str]:
        """Field -> column, for --map."""
        used = {each.field for each in (*self.spine, *self.labels)}
        return {field: column for field, column in mapped(self.names).items() if field in used}


def propose(
    project: str, stem: str, rows: Sequence[Row], *, as_written: bool = False, wishes: Wishes | None = None
) -> Proposal:
    """From the first rows of a file. Raises ProjectError where they hold no event.

    as_written: the rows are records of a topic. A field is a member of that very name, and outcomes are left out.
    wishes: what a person says about the columns.
    """
    wishes = wishes or Wishes()
    seen = seen_columns(rows, wishes, as_written=as_written)
    columns = seen.taken
    source = plain_name(stem.partition(".")[0]) or "events"
    roles = guess_roles(columns, source, wishes)
    if gone := given_away(columns, roles):
        seen = seen.without_each(gone)
        columns = seen.taken
        roles = guess_roles(columns, source, wishes)
    if as_written and roles.label is not None:
        seen = seen.without((roles.label, *roles.later), _OUTCOME)
        columns = seen.taken
        roles = guess_roles(columns, source, wishes.without_label())
    if as_written:  # a record has a time of its arrival
        roles = replace(roles, arrival=None)
    columns = tuple(roles.label if roles.label and each.name == roles.label.name else each for each in columns)
    return Proposal(project, source, columns, seen.left, seen.names, roles, wishes.delay_us, seen.decimal_comma)


def plain_name(text: str) -> str:
    """Small letters, digits and single underscores, beginning with a letter; empty where nothing is left.

    >>> plain_name("Orders 2024-05"), plain_name("2024 orders"), plain_name("__")
    ('orders_2024_05', 'n2024_orders', '')
    """
    name = re.sub(r"[^a-z0-9]+", "_", text.lower()).strip("_")
    return f"n{name}" if name[:1].isdigit() else name
