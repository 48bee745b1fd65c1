"""Messages are sorted by partition without a change of their order, and no part of them is lost."""

import gc
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streaming.kafka.records import messages as kafka_messages
from streaming.kafka.records.messages import by_partition, records_of, without_cycles


@dataclass(frozen=True)
class Sent:
    """A message as the client has it: its parts are methods."""

    of: tuple[str, int]
    at: int

    def topic(self) -> str:
        return self.of[0]

    def partition(self) -> int:
        return self.of[1]

    def offset(self) -> int:
        return self.at

    def timestamp(self) -> tuple[int, int]:
        return 1 + self.at % 2, 1000 + self.at

    def key(self) -> bytes:
        return b"key %d" % self.at

    def value(self) -> bytes | None:
        return None if self.at % 3 else b"value %d" % self.at


RUNS = st.lists(st.tuples(st.sampled_from(["a", "b"]), st.integers(0, 2), st.integers(1, 3)))


@pytest.mark.parametrize("few", [0, 64], ids=["as many", "as few"])
@given(RUNS)
def test_each_partition_gets_its_messages_in_their_order(few: int, runs: list[tuple[str, int, int]]) -> None:
    of_each = [(topic, number) for topic, number, count in runs for _ in range(count)]
    messages = [Sent(of, at) for at, of in enumerate(of_each)]
    expected: dict[tuple[str, int], list[Sent]] = {}
    for message in messages:
        expected.setdefault(message.of, []).append(message)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(kafka_messages, "_FEW", few)
        assert by_partition(messages) == expected


@given(st.lists(st.integers(0, 1000), min_size=1, unique=True).map(sorted))
def test_records_are_the_parts_of_messages(offsets: list[int]) -> None:
    messages = [Sent(("a", 3), at) for at in offsets]
    records = records_of(messages)
    assert (records.topic, records.partition, records.offsets.tolist()) == ("a", 3, offsets)
    assert list(zip(records.stamp_types.tolist(), records.stamps_ms.tolist(), strict=True)) == [
        each.timestamp() for each in messages
    ]
    assert list(records.values) == [each.value() for each in messages]
    assert [records.key_of(row) for row in range(len(messages))] == [each.key() for each in messages]


def test_the_collection_of_cycles_goes_on_afterwards_also_after_an_error() -> None:
    try:
        with without_cycles():
            assert not gc.isenabled()
            raise KeyError
    except KeyError:
        assert gc.isenabled()
