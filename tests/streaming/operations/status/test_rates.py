"""Records a second from two looks."""

from streaming.operations.status.answer import PartitionStatus, SourceStatus, Status
from streaming.operations.status.rates import SourceRates, lag, source_rates


def look(at_s, *partitions):
    of = [PartitionStatus(number, 0, end, {"online": stored}) for number, (end, stored) in enumerate(partitions)]
    return Status(at_s * 1_000_000, {}, [], [SourceStatus("clicks", "shop.clicks", of)], [])


def test_a_rate_is_the_sum_over_the_partitions():
    rates = source_rates(look(10, (5, 4), (5, 4)), look(12, (15, 8), (5, 4)))["clicks"]
    assert (rates.arriving, rates.of("online"), rates.of("archive")) == (5.0, 2.0, None)


def test_what_is_unknown_in_one_partition_is_unknown():
    before, now = look(10, (5, 4), (5, 4)), look(12, (15, None), (None, 4))
    assert source_rates(before, now)["clicks"] == SourceRates(2.0, None, {"online": None, "archive": None})
    assert lag(now.sources[0], "online") is None


def test_a_position_that_was_set_back_is_no_negative_rate():
    assert source_rates(look(10, (5, 4)), look(12, (5, -1)))["clicks"].of("online") == 0.0


def test_there_are_no_rates_before_the_second_look():
    assert source_rates(None, look(10, (5, 4))) == {}
