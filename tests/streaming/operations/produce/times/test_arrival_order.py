"""The merge of runs is the sort of everything."""

import random

import pytest

from streaming.operations.produce.times.arrival_order import in_order


@pytest.mark.parametrize("run", [1, 7, 1_000, 100_000])
def test_records_come_in_the_order_of_their_arrival_whatever_the_run(run):
    draw = random.Random(5)
    given = [(draw.randrange(500), number, 0, b"k", b"%d" % number) for number in range(3_000)]
    assert list(in_order(iter(given), run)) == sorted(given)
