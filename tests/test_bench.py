"""The benchmarks themselves: a broken one would be noticed only when somebody needs its figures."""

from __future__ import annotations

import json
import math
import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest

from deploy.demo.traffic.cards.handbook import simulate
from tests.bench.stream_job import Sample, steady_pace
from tests.bench.transactions import START_US

ROOT = Path(__file__).parents[1]


@pytest.fixture
def few_transactions(tmp_path: Path) -> Path:
    made = simulate(customers=20, terminals=200, days=40, start_us=START_US, seed=1).transactions
    columns = {name: getattr(made, name) for name in ("transaction_id", "customer_id", "terminal_id", "is_fraud")}
    time = pl.Series(made.event_time_us).cast(pl.Datetime("us", "UTC"))
    frame = pl.DataFrame({**columns, "event_time": time, "amount": made.amount_cents / 100})
    frame.write_parquet(tmp_path / "few.parquet")
    return tmp_path / "few.parquet"


@pytest.mark.slow
@pytest.mark.deep
def test_the_harness_measures_and_writes_what_it_measured(few_transactions: Path, tmp_path: Path) -> None:
    """The suite of windows also compares kernel and DuckDB, value by value."""
    found = tmp_path / "figures.json"
    arguments = ["--only", "^(kernel|windows)$", "--data", str(few_transactions), "--json", str(found)]
    done = subprocess.run(
        [sys.executable, "-m", "tests.bench", *arguments], cwd=ROOT, capture_output=True, text=True, timeout=240
    )
    assert done.returncode == 0, done.stderr
    assert "benchmarks" in done.stdout
    written = json.loads(found.read_text())
    assert written["machine"]["cores"]
    assert {each["unit"] for each in written["figures"]} >= {"events/s", "rows/s", "bytes"}
    for each in written["figures"]:
        assert each["value"] > 0
        assert each["baseline"] is None or math.isclose(each["ratio"], each["value"] / each["baseline"])


def test_a_pattern_that_matches_no_suite_is_refused() -> None:
    command = [sys.executable, "-m", "tests.bench", "--only", "nothing-like-it"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert done.returncode == 2
    assert "streaming" in done.stderr


def test_a_pace_leaves_out_start_and_end() -> None:
    samples = [Sample(at_s, done, {"online": at_s / 2}) for at_s, done in ((9, 0.1), (10, 0.5), (11, 0.9), (99, 1.0))]
    pace = steady_pace(samples, events=1000)
    assert pace.rate == pytest.approx(400)
    assert pace.used_us == pytest.approx({"online": 1250})


def test_a_pace_of_coarse_steps_goes_to_the_end() -> None:
    samples = [Sample(1, 0.6, {}), Sample(3, 1.0, {})]
    assert steady_pace(samples, events=1000).rate == pytest.approx(200)


def test_all_in_one_step_has_no_pace() -> None:
    with pytest.raises(RuntimeError, match="one step"):
        steady_pace([Sample(1, 1.0, {})], events=1000)
