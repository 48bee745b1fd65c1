"""What waits to be counted is counted once, and as if it had been counted at once."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from serving.metrics import Metrics
from serving.uncounted import Answered, Uncounted, settled_regularly

SECONDS = st.floats(0, 2)
ANSWERS = st.lists(st.tuples(st.sampled_from("ab"), SECONDS))
READS = st.lists(st.tuples(st.integers(1, 300), SECONDS))
ROW = st.tuples(st.one_of(st.none(), st.floats(0, 1e7)), st.booleans(), st.booleans())
BATCHES = st.lists(st.tuples(st.sampled_from("xy"), st.lists(ROW, max_size=4)))


def value(metrics: Metrics, name: str, **labels: str) -> float:
    return metrics.registry.get_sample_value(f"serving_{name}", labels) or 0.0


@given(ANSWERS, READS, BATCHES, st.booleans())
def test_what_was_seen_is_counted_as_one_by_one(answers, reads, batches, halfway):
    metrics = Metrics("ab", "xy")
    for view, seconds in answers:
        metrics.answered(view, 200, seconds)
    if halfway:
        metrics.settle()
    for instances, seconds in reads:
        metrics.online_read(instances, seconds)
    for group, rows in batches:
        ages, missing, unreadable = zip(*rows, strict=True) if rows else ((), (), ())
        metrics.rows_read([SimpleNamespace(name=group, ages_s=ages, missing=missing, unreadable=unreadable)])
    metrics.settle()
    metrics.settle()
    for view in "ab":
        took = [seconds for each, seconds in answers if each == view]
        assert value(metrics, "requests_total", view=view, status="200", problem="") == len(took)
        assert value(metrics, "request_seconds_sum", view=view) == pytest.approx(sum(took))
        assert value(metrics, "request_seconds_bucket", view=view, le="0.05") == sum(each <= 0.05 for each in took)
    assert value(metrics, "batch_instances_sum") == sum(instances for instances, _ in reads)
    assert value(metrics, "online_read_seconds_count") == len(reads)
    for group in "xy":
        rows = [row for each, some in batches if each == group for row in some]
        assert value(metrics, "feature_age_seconds_count", group=group) == sum(age is not None for age, *_ in rows)
        assert value(metrics, "missing_entities_total", group=group) == sum(missing for _, missing, _ in rows)
        assert value(metrics, "unreadable_states_total", group=group) == sum(unreadable for *_, unreadable in rows)


def test_it_is_counted_once_whoever_counts_meanwhile():
    metrics, each, threads = Metrics("ab", []), 3_000, 4

    def answer(_: int) -> None:
        for number in range(each):
            metrics.answered("a", 200, 0.1)
            if number % 7 == 0:
                metrics.settle()

    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(answer, range(threads)))
    metrics.settle()
    assert value(metrics, "requests_total", view="a", status="200", problem="") == each * threads


def test_what_waits_is_bounded():
    uncounted = Uncounted()
    metrics = Metrics("a", [])
    metrics._uncounted = uncounted
    for _ in range(5_000):
        metrics.answered("a", 200, 0.1)
    assert value(metrics, "requests_total", view="a", status="200", problem="") > 3_000
    assert not uncounted.add(Answered("a", 0.1))


def test_it_is_counted_now_and_then_and_at_the_end():
    async def run() -> tuple[int, int]:
        calls = []
        called_twice = asyncio.Event()

        def settle() -> None:
            calls.append(1)
            if len(calls) == 2:
                called_twice.set()

        async with settled_regularly(settle):
            async with asyncio.timeout(60):
                await called_twice.wait()
            meanwhile = len(calls)
        return meanwhile, len(calls)

    meanwhile, all_calls = asyncio.run(run())
    assert all_calls == meanwhile + 1
