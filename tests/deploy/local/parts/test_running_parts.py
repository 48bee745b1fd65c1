"""A part that ends is put on the board with its reason. One that may be killed is started again."""

import os
import signal
import time
from contextlib import ExitStack

import pytest

from deploy.embedded.kafka.kafka_simulator import KafkaSimulator
from deploy.local.errors import LocalError
from deploy.local.parts.environment import named_models, read_environment_file
from deploy.local.parts.running_parts import RunningParts
from deploy.local.stack.board import Board
from deploy.local.stack.stack_directory import Remembered, StackDirectory
from shared_features.definitions import load_definitions

MACHINES = "tests.domains.machines"
PREDICTIONS = "machines.predictions"
TOPICS = [source.topic for source in load_definitions(MACHINES).sources]


@pytest.fixture(scope="module")
def kafka():
    with KafkaSimulator(dict.fromkeys([*TOPICS, PREDICTIONS], 2)) as simulator:
        yield simulator


@pytest.fixture
def directory(tmp_path):
    directory = StackDirectory(tmp_path / "stack")
    directory.create()
    return directory


@pytest.fixture
def parts(directory, kafka, monkeypatch):
    """On servers of the user's, and with a setting of their own."""
    remembered = Remembered(
        definitions=MACHINES,
        kafka="yours",
        redis="yours",
        namespace="n",
        log="l",
        kafka_address=kafka.bootstrap_servers,
        redis_address="redis://127.0.0.1:9/0",
    )
    monkeypatch.setenv("MILLRACE_PREDICTION_LOG_TOPIC", PREDICTIONS)
    monkeypatch.setenv("MILLRACE_ANSWERING_MODELS", '{"breakdown": "breaks"}')
    own = {"MILLRACE_TOPIC_MODE": "import", "MILLRACE_IMPORT_UNTIL": "2026-01-01T00:00:00+00:00"}
    board = Board(directory, lambda part: None)
    with ExitStack() as exits:
        yield RunningParts(directory, remembered, load_definitions(MACHINES), board, exits, own)


def killed(program):
    os.kill(program.pid, signal.SIGKILL)
    while program.exit_code is None:
        time.sleep(0.01)


def test_settings_of_whoever_starts_it_come_before_those_of_the_stack(parts, directory, kafka):
    assert (parts.settings.topic_mode, parts.settings.import_until.year) == ("import", 2026)
    exported = directory.environment_file.read_text()
    assert "export MILLRACE_TOPIC_MODE=import\n" in exported
    assert f"export KAFKA_BOOTSTRAP_SERVERS={kafka.bootstrap_servers}\n" in exported
    assert directory.remembered() == parts.remembered


def test_what_the_user_has_set_is_known_to_commands_in_another_shell(parts, directory):
    """An erasure there has to know the topic of the prediction log, and `status` which model answers."""
    found = read_environment_file(directory)
    assert found["MILLRACE_PREDICTION_LOG_TOPIC"] == PREDICTIONS
    assert named_models(directory) == {"breakdown": "breaks"}
    assert "MILLRACE_SCORE_TOPICS" not in found


def test_one_that_is_killed_is_started_again_where_that_was_asked_for(parts, directory):
    first = parts.begin("server", ["http.server", "0"], "loading", revived=True, address="http://here")
    parts.check()
    killed(first)
    parts.check()
    (part,) = (each for each in directory.standing().parts if each.name == "server")
    assert part.pid not in (None, first.pid)
    assert (part.state, part.says, part.address) == ("starting", "loading", "http://here")
    parts.check()
    assert directory.standing().part("server").pid == part.pid


def test_one_that_fails_by_itself_and_one_that_is_needed_are_failures_with_their_logs(parts, directory):
    failing = parts.begin("failing", ["no_such_module_at_all"], "loading", revived=True)
    while failing.exit_code is None:
        time.sleep(0.01)
    killed(parts.begin("needed one", ["http.server", "0"], "loading"))
    with pytest.raises(LocalError) as failed:
        parts.check()
    assert "failing ended with exit code 1. The end of its log" in str(failed.value)
    assert "No module named no_such_module_at_all" in str(failed.value)
    assert f"needed one ended with exit code -9. The end of its log, {directory.log('needed-one')}" in str(failed.value)
