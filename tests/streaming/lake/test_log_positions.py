"""Positions come back from a table as they were stored, and the watermark never goes back."""

from collections.abc import Mapping

from hypothesis import given
from hypothesis import strategies as st

from streaming.lake.log_positions import LogPositions
from streaming.lake.stored_positions import NEVER

TOPIC = ("payments", "id")


class Stored:
    """A table of which only its application transactions are asked."""

    def __init__(self, versions: Mapping[str, int]) -> None:
        self._versions = versions

    def position(self, app: str) -> int:
        return self._versions.get(app, NEVER)


@st.composite
def positions(draw: st.DrawFn) -> LogPositions:
    found = LogPositions(watermark_us=draw(st.integers(-1, 100)))
    count = draw(st.integers(0, 3))
    found.join(TOPIC, count)
    for number in range(count):
        for _ in range(draw(st.integers(0, 3))):
            first = found.offsets[(*TOPIC, number)] + 1 + draw(st.integers(0, 3))
            found.add_gap((*TOPIC, number), first, first + draw(st.integers(0, 5)))
        found.maxima_us[(*TOPIC, number)] = draw(st.integers(-1, 200))
    return found


@given(positions(), st.integers(0, 4))
def test_what_is_stored_comes_back(stored: LogPositions, in_kafka: int) -> None:
    assert LogPositions.load(Stored(stored.versions()), {TOPIC: in_kafka}) == stored


@given(positions(), st.integers(0, 5))
def test_a_partition_joins_at_the_watermark_and_one_that_is_known_stays(before: LogPositions, count: int) -> None:
    known, after = before.copy(), before.copy()
    after.join(TOPIC, count)
    new = set(after.offsets) - set(known.offsets)
    assert {each[2] for each in new} == set(range(len(known.offsets), count))
    assert all((after.offsets[each], after.maxima_us[each]) == (NEVER, known.watermark_us) for each in new)
    assert {each: offset for each, offset in after.offsets.items() if each not in new} == known.offsets


@given(positions(), st.lists(st.integers(-1, 300), max_size=4))
def test_the_watermark_never_goes_back(log: LogPositions, maxima: list[int]) -> None:
    for maximum in maxima:
        before = log.watermark_us
        for partition in log.maxima_us:
            log.maxima_us[partition] = maximum
        log.move_watermark()
        assert log.watermark_us == (max(before, maximum) if log.maxima_us else max(before, NEVER))


def test_a_gap_holds_only_what_the_table_has_not() -> None:
    log = LogPositions()
    log.join(TOPIC, 1)
    partition = (*TOPIC, 0)
    log.offsets[partition] = 9
    log.add_gap(partition, 4, 8)
    log.add_gap(partition, 8, 12)
    assert (log.gaps[partition], log.offsets[partition]) == (((10, 12),), 11)


def test_a_copy_changes_on_its_own() -> None:
    log = LogPositions()
    log.join(TOPIC, 1)
    other = log.copy()
    other.add_gap((*TOPIC, 0), 0, 3)
    assert (log.offsets[(*TOPIC, 0)], log.gaps[(*TOPIC, 0)]) == (NEVER, ())
