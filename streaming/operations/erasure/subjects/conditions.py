"""SQL conditions for what is erased, in pieces: a long chain of OR, or a very long list, overflows the SQL parser."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TypeVar

from shared_features.definitions import EventSource
from shared_features.formats.offline_tables import OFFSET, PARTITION
from streaming.lake.scan import quoted, sql_text
from streaming.operations.erasure.subjects.subject import Subject

_LISTED = 1000
_CHAINED = 100
Item = TypeVar("Item")


def whose_events(source: EventSource, subjects: Sequence[Subject]) -> Iterator[str]:
    """Conditions for the events of the subjects, for some subjects at a time."""
    values = [each for each in (subject.literals(source) for subject in subjects) if each is not None]
    names = subjects[0].entity.keys if subjects else ()
    if len(names) == 1:
        for some in pieces(values, _LISTED):
            yield f"{quoted(names[0])} IN ({', '.join(literal for (literal,) in some)})"
        return
    columns = [quoted(name) for name in names]
    for some in pieces(values, _CHAINED):
        terms = (" AND ".join(f"{name} = {value}" for name, value in zip(columns, each, strict=True)) for each in some)
        yield " OR ".join(f"({term})" for term in terms)


def whose_rows(keys: Sequence[str]) -> Iterator[str]:
    """Conditions for the feature rows of entity keys, for some keys at a time."""
    for some in pieces(keys, _LISTED):
        yield f"entity_key IN ({', '.join(map(sql_text, some))})"


def at_offsets(partition: int, offsets: Sequence[int]) -> Iterator[str]:
    """Conditions for offsets of a partition, for some offsets at a time."""
    for some in pieces(offsets, _LISTED):
        yield f"{PARTITION} = {partition} AND {OFFSET} IN ({', '.join(map(str, some))})"


def below(ends: Mapping[int, int]) -> str:
    """The condition for what lies below the ends of a topic's partitions."""
    terms = [f"({PARTITION} = {number} AND {OFFSET} < {end})" for number, end in sorted(ends.items())]
    return " OR ".join(terms) or "false"


def pieces(items: Sequence[Item], length: int) -> Iterator[Sequence[Item]]:
    """The items in pieces of at most a length."""
    for first in range(0, len(items), length):
        yield items[first : first + length]
