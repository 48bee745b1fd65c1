"""The local stack through its one command: up, events in, a prediction out, down, and up again with its data."""

from __future__ import annotations

import json
import os
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from deploy.local.stack.processes import is_running
from deploy.local.stack.stack_directory import StackDirectory
from shared_features.definitions import load_definitions
from streaming.online_store.server import StoreServer
from streaming.settings import load_settings
from tests.end_to_end.job import produce
from tests.end_to_end.test_other_domain import START_MS, STEP_MS, records

DEFINITIONS = "tests.domains.machines"
READINGS_SENT = 1_500
LAST_MS = START_MS + READINGS_SENT * STEP_MS
WITHIN_S = 600.0
PLAIN = "from tests.domains.machines import *\n"
GROWN = f"""{PLAIN}
from shared_features import *
HOT_PLANT = GrownGroup(HOT_PLANT, added=(Aggregate(None, Count(), windows=(hours(5),)),))
"""
OTHER = f"""{PLAIN}
from dataclasses import replace
from shared_features import *
from tests.domains import machines
HOT_PLANT = replace(HOT_PLANT, where=(Condition("celsius", ">", 70.0),))
BREAKDOWN = replace(
    BREAKDOWN, features=tuple(HOT_PLANT if each == machines.HOT_PLANT else each for each in BREAKDOWN.features)
)
"""


class Stack:
    """The command in a folder where a person keeps definitions, away from the project."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.directory = StackDirectory(folder / "var" / "stack")

    def run(self, *arguments: str, exit_code: int = 0, sourced: bool = False) -> str:
        """sourced: in a shell that has read the env.sh of the stack."""
        environment = {name: value for name, value in os.environ.items() if not name.startswith("MILLRACE_")}
        for name in ("KAFKA_BOOTSTRAP_SERVERS", "REDIS_URL"):
            environment.pop(name, None)
        if sourced:
            lines = shlex.split(self.directory.environment_file.read_text().replace("export ", ""))
            environment |= dict(line.split("=", 1) for line in lines if not line.startswith("PYTHONPATH="))
        command = [sys.executable, "-m", "deploy.command_line", *arguments]
        done = subprocess.run(
            command, cwd=self._folder, env=environment, capture_output=True, text=True, timeout=WITHIN_S, check=False
        )
        assert done.returncode == exit_code, done.stdout + done.stderr
        return done.stdout + done.stderr

    def status(self) -> Any:
        return json.loads(self.run("status", "--json"))

    def wait_until(self, ready: Callable[[], bool], what: str) -> None:
        deadline_s = time.monotonic() + WITHIN_S
        while not ready():
            assert time.monotonic() < deadline_s, f"not within {WITHIN_S:g} s: {what}; {self.directory.standing()}"
            time.sleep(2.0)  # a look is a process of its own

    def state(self, part: str) -> str | None:
        """As the supervisor wrote it."""
        standing = self.directory.standing()
        found = None if standing is None else standing.part(part)
        return None if found is None else found.state

    @property
    def remembered(self) -> Any:
        found = self.directory.remembered()
        assert found is not None
        return found

    def gaps(self) -> list[Any]:
        """Offsets that some shard could not apply."""
        settings = load_settings(
            redis_url=self.remembered.redis_address, redis_namespace=self.remembered.namespace, definitions=DEFINITIONS
        )
        metas = StoreServer(settings, within_s=10.0).metas(load_definitions(DEFINITIONS).groups)
        assert all(meta is not None for shards in metas.values() for meta in shards)
        return [gap for shards in metas.values() for meta in shards if meta is not None for gap in meta.gaps]

    def predict(self) -> Any:
        url = f"http://127.0.0.1:{self.remembered.serving_port}/v1/views/breakdown:predict"
        instance = {"plant": "a|b", "machine": "m1", "celsius": 55.5, "humidity": None, "firmware": "1.1"}
        body = {"instances": [instance], "as_of": LAST_MS * 1000, "include_features": True}
        answered = httpx.post(url, json=body)
        assert answered.status_code == 200, answered.text
        (prediction,) = answered.json()["predictions"]
        return prediction["score"], prediction["features"]


def archived(status: Any) -> dict[str, int]:
    return {source["source"]: source["events"] for source in status["stream"]["sources"]}


@pytest.mark.deep  # the tutorial, which always runs, goes the same way with definitions of its own
def test_up_and_events_and_a_prediction_and_down_and_up_again_with_the_same_data(tmp_path: Path) -> None:
    (tmp_path / "my_machines.py").write_text(PLAIN)
    stack = Stack(tmp_path)
    try:
        said = stack.run("up", "--detach", "--definitions", "my_machines")
        assert "everything is up" in said
        assert "waiting for events of readings" in said
        address, port = stack.remembered.kafka_address, stack.remembered.serving_port
        produce(address, records(READINGS_SENT, seed=5))
        stack.wait_until(lambda: stack.state("serving") == "up", "a first model that answers")
        before, counted = stack.predict(), archived(stack.status())
        assert before[1]["hot_plant__count_2h"] > 0
        assert counted["readings"] >= READINGS_SENT
        an_edit_of_a_running_stack_is_told(stack, tmp_path / "my_machines.py")
        assert "A stack of other definitions, my_machines, runs" in stack.run(
            "up", "--definitions", "tests.domains.tills", exit_code=1
        )

        standing = stack.directory.standing()
        assert standing is not None
        processes = [(part.pid, part.started) for part in standing.parts if part.pid is not None]
        assert len(processes) >= 4
        assert "the data stay" in stack.run("down")
        assert not [pid for pid, started in processes if is_running(pid, started)]
        assert "down" in stack.run("status", exit_code=1)
        assert "--definitions names tests.domains.tills" in stack.run(
            "up", "--definitions", "tests.domains.tills", exit_code=1
        )
        an_edit_that_the_data_do_not_fit_is_refused(stack, tmp_path / "my_machines.py")

        (tmp_path / "my_machines.py").write_text(GROWN)
        assert "group hot_plant:v1+1 joins the running group, which continues" in stack.run("up", "--detach")
        assert (stack.remembered.kafka_address, stack.remembered.serving_port) == (address, port)
        stack.wait_until(lambda: stack.state("serving") == "up", "the model of before")
        assert stack.predict() == before
        reading = {
            "reading": "one more",
            "at": datetime.fromtimestamp(LAST_MS / 1000, UTC).isoformat(),
            "plant": "north",
            "machine": "m1",
            "celsius": 9.5,
        }
        produce(address, [("plant.readings", b"m1", json.dumps(reading).encode(), LAST_MS)])
        stack.wait_until(lambda: archived(stack.status())["readings"] == counted["readings"] + 1, "one event more")
        assert stack.gaps() == [], "the log of the second simulator continues that of the first"
        a_file_that_is_produced_twice_counts_once(stack, tmp_path)
        an_entity_is_found_without_the_environment_of_the_stack(stack)
    finally:
        if stack.directory.is_there:
            stack.run("down")


@pytest.mark.deep
def test_the_log_of_apache_kafka_outlives_a_kill_of_everything(tmp_path: Path) -> None:
    (tmp_path / "my_machines.py").write_text(PLAIN)
    stack = Stack(tmp_path)
    try:
        said = stack.run("up", "--detach", "--kafka", "--definitions", "my_machines")
        assert "Apache Kafka, its records outlive a restart, 2 topics; created plant.breakdowns, plant.readings" in said
        address, sent = stack.remembered.kafka_address, records(READINGS_SENT, seed=5)
        produce(address, sent)
        stack.wait_until(lambda: archived(stack.status())["readings"] >= READINGS_SENT, "all readings")
        counted, ends = archived(stack.status()), log_ends(stack.status())
        assert sum(ends.values()) == len(sent)
        supervisor = stack.directory.supervisor()
        assert supervisor is not None
        os.kill(supervisor, signal.SIGKILL)
        stack.wait_until(lambda: stack.directory.supervisor() is None, "an end")
        assert "created" not in stack.run("up", "--detach"), "a stack goes on with the Kafka that it began with"
        assert stack.remembered.kafka_address == address
        assert (archived(stack.status()), log_ends(stack.status())) == (counted, ends)
        produce(address, sent[-10:])
        stack.wait_until(lambda: sum(log_ends(stack.status()).values()) == len(sent) + 10, "ten records more")
        stack.wait_until(lambda: not any(group["lag"] for group in stack.status()["stream"]["groups"]), "no lag")
        assert stack.gaps() == []
    finally:
        if stack.directory.is_there:
            stack.run("down")


def log_ends(status: Any) -> dict[tuple[str, int], int]:
    return {
        (source["source"], number): each["log_end"]
        for source in status["stream"]["sources"]
        for number, each in enumerate(source["partitions"])
    }


def an_edit_of_a_running_stack_is_told(stack: Stack, module: Path) -> None:
    """The programs keep what they loaded. `status` says that there is an edit, `up` what it means."""
    module.write_text(GROWN)
    said = stack.run("up")
    assert "runs already" in said
    assert "my_machines was edited since; the stack continues as it started. The next `down` and `up`:" in said
    assert "  group hot_plant:v1+1 joins the running group, which continues: it is built from the stored events" in said
    stack.wait_until(lambda: stack.state("edits") == "waiting", "a word about the edit")
    module.write_text(PLAIN)


def an_edit_that_the_data_do_not_fit_is_refused(stack: Stack, module: Path) -> None:
    """At once, and not by the stream job at the end of its log."""
    module.write_text(OTHER)
    said = stack.run("up", "--detach", exit_code=1)
    assert "group hot_plant:v1 means something else than its stored values (conditions: celsius > 60" in said
    assert "Raise its version to 2, and the versions of the views that read it" in said
    assert stack.directory.supervisor() is None


def a_file_that_is_produced_twice_counts_once(stack: Stack, folder: Path) -> None:
    """Through the real stream: the second time every row is a duplicate, and neither features nor the score change."""
    rows = 40
    file = folder / "more.csv"
    lines = [f"again {n},{LAST_MS - 1_000 * n},a|b,m1,{n % 9}.5" for n in range(rows)]
    file.write_text("\n".join(["reading,at,plant,machine,celsius", *lines]) + "\n")
    events, duplicates = readings_of(stack.status())
    before = stack.predict()
    once = sent_and_counted(stack, file, events + rows)
    assert once == (events + rows, duplicates)
    score = stack.predict()
    assert score != before
    assert sent_and_counted(stack, file, events + 2 * rows) == (events + 2 * rows, duplicates + rows)
    assert stack.predict() == score


def an_entity_is_found_without_the_environment_of_the_stack(stack: Stack) -> None:
    """The command finds the stack of the folder, with its definitions, Kafka, Redis and lake."""
    at = datetime.fromtimestamp(LAST_MS / 1000, UTC).isoformat()
    said = stack.run("inspect", "machine", "plant=a|b,machine=m1", "--as-of", at, "--json")
    assert f"millrace inspect: using the stack in {stack.directory.path}" in said
    told = json.loads(said[: said.rindex("\n}") + 2])
    assert told["unavailable"] == {}
    assert [group["group"] for group in told["groups"]] == ["machine_heat:v3"]
    assert told["groups"][0]["events"]


def sent_and_counted(stack: Stack, file: Path, wanted: int) -> tuple[int, int]:
    """Readings and duplicates, once all of the file are archived and online has applied them."""
    stack.run("produce", str(file), "--source", "readings", sourced=True)
    stack.wait_until(lambda: readings_of(stack.status())[0] == wanted, f"{wanted} readings")
    stack.wait_until(lambda: not any(group["lag"] for group in stack.status()["stream"]["groups"]), "no lag")
    return readings_of(stack.status())


def readings_of(status: Any) -> tuple[int, int]:
    """Archived readings, and duplicates among them."""
    (source,) = [each for each in status["stream"]["sources"] if each["source"] == "readings"]
    return source["events"], source["duplicates"]
