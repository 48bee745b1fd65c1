"""A few seeds of the chaos harness, and that its checks can fail. `./run chaos` runs as many as one likes."""

from __future__ import annotations

import math
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pyarrow as pa
import pytest
from deltalake import DeltaTable, write_deltalake

from shared_features.errors import FormatVersionError
from shared_features.formats import offline_tables
from shared_features.formats.online_state import entity_prefix
from tests.chaos.faults import FAULTS
from tests.chaos.ground import Ground
from tests.chaos.schedule import brokers_of
from tests.chaos.seed_run import end, run_seed, start
from tests.chaos.truth import check_truth, now_us, wait_for_rest
from tests.chaos.world import World, build_world
from tests.end_to_end.brokers import NOT_TESTED, proper_kafka

SEED, ANOTHER = 1, 2
PREDICTIONS = 20_000
OF_TWO_BROKERS = {kind for kind, fault in FAULTS.items() if fault.brokers == 2}

pytestmark = [pytest.mark.kafka, pytest.mark.slow]


@pytest.fixture(scope="module")
def ground(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ground]:
    folder = tmp_path_factory.mktemp("chaos")
    proper_kafka(folder)  # skips, loudly, where there is none
    with Ground(folder / "ground", NOT_TESTED.append) as ground:
        yield ground


@pytest.mark.parametrize("seed", [SEED, pytest.param(ANOTHER, marks=pytest.mark.deep)])
def test_when_the_faults_stop_everything_is_right_bit_for_bit(ground: Ground, tmp_path: Path, seed: int) -> None:
    outcome = run_seed(seed, ground, tmp_path / f"seed{seed}")
    plan = "\n".join(map(str, outcome.plan))
    assert outcome.error is None, f"{plan}\n{outcome.error}\nagain: ./run chaos --replay {seed}"


@pytest.mark.deep
def test_every_prediction_that_was_made_among_the_faults_comes_out_again(ground: Ground, tmp_path: Path) -> None:
    """`./run chaos --predictions N` makes and audits as many as one likes."""
    outcome = run_seed(ANOTHER, ground, tmp_path / "seed", predictions=PREDICTIONS)
    assert outcome.error is None, f"{outcome.error}\nagain: ./run chaos --replay {ANOTHER} --predictions {PREDICTIONS}"
    audited, equal = (outcome.checked[f"{which} predictions"] for which in ("audited", "equal"))
    assert audited >= PREDICTIONS
    assert equal > 0


@pytest.mark.deep
def test_with_two_brokers_too(tmp_path: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    """A broker is fenced, the coordinator is lost, leaders move: the seed draws each of them."""
    folder = tmp_path_factory.mktemp("two_brokers")
    proper_kafka(folder)
    with Ground(folder / "ground", NOT_TESTED.append, brokers_of(SEED, OF_TWO_BROKERS)) as ground:
        outcome = run_seed(SEED, ground, tmp_path / "seed", only=OF_TWO_BROKERS)
    plan = "\n".join(map(str, outcome.plan))
    assert {each.fault.kind for each in outcome.plan} == OF_TWO_BROKERS, plan
    options = " ".join(f"--only {kind}" for kind in sorted(OF_TWO_BROKERS))
    assert outcome.error is None, f"{plan}\n{outcome.error}\nagain: ./run chaos --replay {SEED} {options}"


@pytest.mark.deep
def test_the_check_finds_what_is_wrong(ground: Ground, tmp_path: Path) -> None:
    """What nobody did by any fault is done here by hand: the end must not look right then."""
    world = build_world(0, "wrong", tmp_path, ground, partitions=2, rate=100)
    try:
        start(world, workers=1)
        time.sleep(2)  # some questions
        wait_for_rest(world)
        world.instances.end_all()
        stop_expiry(world)
        at_rest_us = now_us()

        def check() -> Counter[str]:
            """As of then: on a busy machine the checks take longer than keys live."""
            return check_truth(world, lambda: at_rest_us)

        assert check()["answers"] > 10
        for break_it in (
            answer_otherwise,
            swap_two_states,
            lose_a_state,
            invent_a_state,
            set_a_row_wrong,
            store_an_event_twice,
        ):
            mend = break_it(world)
            # A state under another entity's key does not fit its checksum.
            with pytest.raises((AssertionError, FormatVersionError)):
                check()
            mend()
            check()
        world.kept[world.topics[0], 0, 10**6] = (b"{}", 0)
        with pytest.raises(AssertionError, match="missing"):
            check()
    finally:
        end(world, failed=False)


def stop_expiry(world: World) -> None:
    with world.redis() as client:
        for key in client.scan_iter(count=10_000):
            client.persist(key)


Mend = Callable[[], object]


def states(world: World) -> dict[bytes, bytes]:
    """The states of one shard in Redis."""
    group = world.catalogue.groups[-1]
    with world.redis() as client:
        keys = sorted(key for key in client.scan_iter(count=10_000) if key.startswith(prefix_of(world)))
        assert len(keys) > 2, f"{group.label} has too few entities"
        return {key: value for key in keys if isinstance(value := client.get(key), bytes)}


def prefix_of(world: World) -> bytes:
    return entity_prefix(world.job.namespace, world.catalogue.group("plant_load:v2"), 0)


def put(world: World, values: dict[bytes, bytes]) -> None:
    with world.redis() as client:
        for key, value in values.items():
            client.set(key, value)


def answer_otherwise(world: World) -> Mend:
    values = next(each.values for each in world.asker.answers if each.values)
    name, value = next(iter(values.items()))
    values[name] = 0.0 if math.isnan(value) else value + 1
    return lambda: values.update({name: value})


def swap_two_states(world: World) -> Mend:
    before = states(world)
    one, other = list(before)[:2]
    put(world, {one: before[other]})
    return lambda: put(world, before)


def lose_a_state(world: World) -> Mend:
    before = states(world)
    with world.redis() as client:
        client.delete(next(iter(before)))
    return lambda: put(world, before)


def invent_a_state(world: World) -> Mend:
    invented = prefix_of(world) + b"nobody"
    put(world, {invented: next(iter(states(world).values()))})

    def mend() -> None:
        with world.redis() as client:
            client.delete(invented)

    return mend


def rows_of(table: DeltaTable) -> pa.Table:
    return pa.table(table.to_pyarrow_dataset().to_table())


def set_a_row_wrong(world: World) -> Mend:
    """One value of one feature row, by the smallest step that a float has."""
    group, spine = next(each for each in world.catalogue.spines if each[0].name == "plant_load")
    table = DeltaTable(world.job.lake / offline_tables.features_table(group, spine))
    rows = rows_of(table)
    name = group.features[0].name
    values = rows.column(name).to_pylist()
    values[len(values) // 2] += 2.0**-40
    write_deltalake(table, rows.set_column(rows.column_names.index(name), name, pa.array(values)), mode="overwrite")
    return lambda: write_deltalake(table, rows, mode="overwrite")


def store_an_event_twice(world: World) -> Mend:
    table = DeltaTable(world.job.lake / offline_tables.events_table(world.catalogue.sources[0]))
    rows = rows_of(table)
    write_deltalake(table, rows.slice(0, 1), mode="append")
    return lambda: write_deltalake(table, rows, mode="overwrite")
