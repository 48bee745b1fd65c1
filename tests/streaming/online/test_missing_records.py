"""A shard goes on without deleted records only if the archive says that they are gone for good."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streaming.errors import RestartNeeded, StoppedWaiting
from streaming.online.missing_records import MissingRecords, covered
from tests.streaming.small_domain import PAYMENTS

SPANS = st.lists(st.tuples(st.integers(0, 12), st.integers(1, 5)).map(lambda each: (each[0], each[0] + each[1])))
OF = ("payments", "id", 0)


@given(st.integers(0, 14), st.integers(1, 5), SPANS)
def test_gaps_cover_what_each_of_its_offsets_lies_in(first: int, count: int, gaps: list[tuple[int, int]]) -> None:
    gone = {offset for start, end in gaps for offset in range(start, end)}
    assert covered(first, first + count, gaps) == (set(range(first, first + count)) <= gone)


class Archive(MissingRecords):
    """One whose tables say these things, one after the other."""

    def __init__(self, *said: tuple[int, list[tuple[int, int]]], stops: bool = False) -> None:
        super().__init__(Path("/nowhere"), (PAYMENTS,), lambda seconds: stops)
        self.said = [*said]

    def _archived(self, of: tuple[str, str, int]) -> tuple[int, list[tuple[int, int]]]:
        return self.said.pop(0)


def test_it_waits_until_the_archive_has_passed_the_records() -> None:
    archive = Archive((-1, []), (6, []), (9, [(5, 8)]))
    archive(OF, 5, 8)
    assert archive.said == []


def test_records_that_the_archive_holds_need_a_rebuild() -> None:
    with pytest.raises(RestartNeeded, match=r"offsets 5 to 7 were deleted .* bootstrap rebuilds"):
        Archive((9, [(5, 7)]))(OF, 5, 8)


def test_a_shard_that_is_asked_to_stop_does_not_wait() -> None:
    with pytest.raises(StoppedWaiting):
        Archive((-1, []), (-1, []), stops=True)(OF, 5, 8)
