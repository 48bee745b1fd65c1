"""Values of a batch are counted as one by one."""

from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry, Histogram
from prometheus_client.exposition import generate_latest

from serving.batch_histogram import BatchHistogram

BOUNDS = (1, 10, 60)
VALUES = st.lists(st.one_of(st.integers(-1, 61), st.sampled_from([0.5, 59.5, 1e9, float("inf")])), max_size=20)


def shown(kind: type[Histogram], batches: list[list[float]]) -> bytes:
    registry = CollectorRegistry()
    child = kind("age_seconds", "Age.", ["group"], buckets=BOUNDS, registry=registry).labels("cards")
    for batch in batches:
        if isinstance(child, BatchHistogram):
            child.observe_all(batch)
        else:
            for each in batch:
                child.observe(each)
    return b"\n".join(line for line in generate_latest(registry).splitlines() if b"_created" not in line)


@given(st.lists(VALUES, max_size=4))
def test_a_batch_is_counted_as_its_values_one_by_one(batches) -> None:
    assert shown(BatchHistogram, batches) == shown(Histogram, batches)
