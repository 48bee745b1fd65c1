"""The demo as a new user runs it, small: its summary against what its generator knows, and its end at any moment."""

from __future__ import annotations

import re
import shlex
import signal
import subprocess
import sys
from datetime import UTC, datetime, timedelta

import httpx
import polars as pl
import pytest

from tests.deploy.embedded.probes import eventually
from tests.end_to_end.demo_run import WITHIN_S, demo, listening_ports

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform != "linux", reason="finds processes and ports by /proc"),
]

SMALL = ("--customers", "60", "--days", "24", "--live-seconds", "3", "--rate", "40", "--malformed", "0.01")


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """One run to its end, that stays up; its summary, while it still runs."""
    folder = tmp_path_factory.mktemp("demo")
    with demo(folder, *SMALL, "--stay", "--json", str(folder / "facts.json")) as run:
        run.wait_for(lambda: "Everything stays up" in run.output, "the summary")
        yield run


def test_every_event_is_accounted_for(finished) -> None:
    events = finished.summary()["events"]
    sent = events["sent"]
    assert events["accepted"] + events["dead"] == sent["records"]
    assert (events["late"], events["duplicates"], events["dead"]) == (sent["late"], sent["duplicates"], sent["dead"])
    assert events["stored"]["card_transactions"]["events"] == sent["transactions"]
    assert events["stored"]["card_labels"]["events"] == sent["labels"]
    assert sum(each["count"] for each in events["dead_letters"].values()) == sent["dead"] > 0
    assert min(events["late"], events["duplicates"]) > 0
    assert events["accounted_for"]


def test_the_model_is_certified_and_its_served_features_are_those_of_the_lake(finished) -> None:
    facts = finished.summary()
    assert facts["model"]["parity"]["ok"]
    assert set(facts["model"]["models"]) == {"hist_gradient_boosting", "random_forest", "logistic_regression"}
    replayed = facts["predictions"]["features_replayed"]
    assert replayed["checked"] == replayed["equal"] > 0, replayed["differences"]
    assert facts["predictions"]["answered"] >= 20
    assert facts["predictions"]["refused"] == {}
    assert facts["status"]["away"] == {}


def test_the_curl_works_as_printed_while_it_stays(finished) -> None:
    command = next(line for line in finished.output.splitlines() if line.startswith("curl "))
    answer = subprocess.run(shlex.split(command), capture_output=True, text=True, check=True, timeout=120).stdout
    assert '"score"' in answer
    assert '"features"' in answer


def test_without_a_terminal_there_are_lines_and_no_bar(finished) -> None:
    assert "\r" not in finished.output
    assert "\x1b" not in finished.output
    assert len(finished.output.splitlines()) < 150


@pytest.mark.deep  # waits for two whole minutes
def test_a_retraining_begins_each_minute_and_its_page_is_printed(finished) -> None:
    address = finished.output.partition("schedule are shown at\n")[2].splitlines()[0]
    with httpx.Client(base_url=address, timeout=60, trust_env=False) as client:
        finished.wait_for(lambda: began(client), "a scheduled run")
        (schedule,) = client.get("/v1/schedules").json()
        assert (schedule["name"], schedule["cron"]) == ("every-minute", "* * * * *")
        assert "every-minute-" in client.get("/").text


def began(client: httpx.Client) -> bool:
    runs = client.get("/v1/runs").json()
    assert not [each["error"] for each in runs if each["error"]]
    return any(each["status"] in ("running", "succeeded") for each in runs)


def test_ctrl_c_while_it_stays_leaves_nothing(finished) -> None:
    check_leaves_nothing(finished, signal.SIGINT, like_a_terminal=True)


@pytest.mark.parametrize(
    ("phase", "number", "like_a_terminal"),
    [
        ("kernel", signal.SIGINT, True),
        ("history", signal.SIGTERM, False),
        pytest.param("training", signal.SIGINT, True, marks=pytest.mark.deep),
    ],
)
def test_being_ended_in_a_phase_leaves_nothing(tmp_path, phase, number, like_a_terminal) -> None:
    with demo(tmp_path, *SMALL) as run:
        run.wait_for_phase(phase)
        check_leaves_nothing(run, number, like_a_terminal=like_a_terminal)


@pytest.mark.deep
def test_a_file_is_streamed_with_its_own_times_and_loses_no_row(tmp_path) -> None:
    rows = 6_000
    first = datetime(2018, 4, 1, tzinfo=UTC)
    frame = pl.DataFrame(
        {
            "transaction_id": range(rows),
            "event_time": [first + timedelta(minutes=8 * row) for row in range(rows)],
            "customer_id": [row * 7 % 50 for row in range(rows)],
            "terminal_id": [row * 11 % 40 for row in range(rows)],
            "amount": [float(row % 90) + 0.5 for row in range(rows)],
            "is_fraud": [row % 29 == 0 for row in range(rows)],
        }
    )
    frame.write_parquet(tmp_path / "mine.parquet")
    with demo(tmp_path, "--data", str(tmp_path / "mine.parquet"), "--held-back", "100") as run:
        assert run.process.wait(WITHIN_S) == 0, run.output
        facts = run.summary()
    assert facts["events"]["accounted_for"]
    assert facts["events"]["stored"]["card_transactions"] == {
        "stored": rows,
        "duplicates": 0,
        "late": 0,
        "events": rows,
    }
    assert facts["predictions"]["answered"] == 100
    assert facts["predictions"]["features_replayed"]["ok"], facts["predictions"]["features_replayed"]


def test_a_file_without_a_column_is_refused_by_name(tmp_path) -> None:
    pl.DataFrame({"transaction_id": [1], "amount": [1.0]}).write_parquet(tmp_path / "wrong.parquet")
    with demo(tmp_path, "--data", str(tmp_path / "wrong.parquet")) as run:
        assert run.process.wait(WITHIN_S) == 1
        assert "has no column event_time, customer_id, terminal_id, is_fraud" in run.output


def test_a_program_that_dies_is_named_with_its_log(tmp_path) -> None:
    with demo(tmp_path, *SMALL) as run:
        run.wait_for_phase("history")
        jobs = list[int]()  # while it begins, its command cannot be read

        def is_seen() -> bool:
            jobs[:] = [pid for pid, command in run.processes().items() if command.endswith("-m streaming run ")]
            return bool(jobs)

        assert eventually(is_seen), run.processes()
        subprocess.run(["kill", "-9", str(jobs[0])], check=True)
        assert run.process.wait(WITHIN_S) == 1
        assert re.search(r"stream job ended with exit code -9.*its log, .*stream-job\.log", run.output)
        assert run.processes() == {}


def check_leaves_nothing(run, number, *, like_a_terminal) -> None:
    """The exit code says which signal it was; no process and no port is left."""
    ports = run.ports()
    assert len(run.processes()) > 1
    assert run.end(number, like_a_terminal=like_a_terminal) == 128 + number
    assert eventually(lambda: run.processes() == {}), run.processes()  # the kernel takes a moment for what was killed
    assert eventually(lambda: not ports & listening_ports())
    assert "Traceback" not in run.output
