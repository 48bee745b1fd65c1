"""What stands against an `up` is said before anything is started or written."""

import os
import socket
import sys

import msgspec
import pytest

from deploy.embedded.kafka.apache_kafka import ApacheKafka
from deploy.embedded.redis_server import RedisServer
from deploy.local.commands.options import parse_options
from deploy.local.commands.wanted import wanted_stack
from deploy.local.errors import LocalError
from deploy.local.stack.stack_directory import StackDirectory

MACHINES = "tests.domains.machines"


@pytest.fixture(autouse=True)
def _no_servers_of_the_user(monkeypatch):
    for name in ("KAFKA_BOOTSTRAP_SERVERS", "REDIS_URL", "MILLRACE_DEFINITIONS"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def directory(tmp_path):
    return StackDirectory(tmp_path / "stack")


def wanted(directory, *arguments):
    asked = parse_options(["up", *arguments])
    return wanted_stack(directory, definitions=asked.definitions, kafka=asked.kafka, port=asked.port)


@pytest.fixture
def begun(directory):
    """A stack of the machines that ran before, on servers of its own."""
    directory.create()
    remembered, _ = wanted(directory, "--definitions", MACHINES)
    addresses = {"kafka_address": "127.0.0.1:21001", "redis_address": "redis://127.0.0.1:21002/0"}
    directory.remember(msgspec.structs.replace(remembered, **addresses))
    return directory


def test_a_new_stack_has_servers_of_its_own_and_writes_nothing_yet(directory):
    remembered, catalogue = wanted(directory, "--definitions", MACHINES)
    assert (remembered.definitions, remembered.kafka, remembered.redis) == (MACHINES, "simulator", "embedded")
    assert [view.name for view in catalogue.views] == ["breakdown"]
    assert not directory.path.exists()


def test_definitions_come_from_the_option_then_the_directory_then_the_environment(begun, tmp_path, monkeypatch):
    monkeypatch.setenv("MILLRACE_DEFINITIONS", "tests.domains.tills")
    assert wanted(begun)[0].definitions == MACHINES
    assert wanted(StackDirectory(tmp_path / "other"))[0].definitions == "tests.domains.tills"


def test_definitions_are_found_where_the_user_stands(directory, tmp_path, monkeypatch):
    (tmp_path / "machines_of_mine.py").write_text(f"from {MACHINES} import *\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.path", [each for each in sys.path if each])
    remembered, _ = wanted(directory, "--definitions", "machines_of_mine")
    assert str(tmp_path) in remembered.import_path


def test_definitions_that_cannot_be_imported_are_named_with_the_places_that_were_searched(directory):
    with pytest.raises(LocalError, match=r"no_such_module.*looked in .*--definitions names a module"):
        wanted(directory, "--definitions", "no_such_module")


def test_a_directory_of_other_definitions_is_refused(begun):
    with pytest.raises(LocalError, match=rf"data of the definitions {MACHINES}, and --definitions names tests.domains"):
        wanted(begun, "--definitions", "tests.domains.tills")


def test_a_port_that_is_taken_is_refused(directory):
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        with pytest.raises(LocalError, match=f"--port {port} is taken by another program"):
            wanted(directory, "--definitions", MACHINES, "--port", str(port))


def test_what_is_missing_is_said_at_once(directory, monkeypatch):
    monkeypatch.setattr(RedisServer, "missing", staticmethod(lambda: ["No redis-server."]))
    monkeypatch.setattr(ApacheKafka, "missing", staticmethod(lambda: ["No java."]))
    with pytest.raises(LocalError, match=r"^No redis-server\. No java\.$"):
        wanted(directory, "--definitions", MACHINES, "--kafka")


def test_two_kafkas_at_once_are_refused(directory, monkeypatch):
    monkeypatch.setenv("KAFKA_BOOTSTRAP_SERVERS", "broker:9092")
    with pytest.raises(
        LocalError, match=r"--kafka starts a Kafka, and KAFKA_BOOTSTRAP_SERVERS names one \(broker:9092\)"
    ):
        wanted(directory, "--definitions", MACHINES, "--kafka")


@pytest.mark.parametrize(
    ("variable", "address", "found"),
    [("KAFKA_BOOTSTRAP_SERVERS", "broker:9092", "simulated"), ("REDIS_URL", "redis://store:6379/0", "of its own")],
)
def test_data_that_belong_to_another_server_are_not_continued_on_this_one(begun, monkeypatch, variable, address, found):
    monkeypatch.setenv(variable, address)
    with pytest.raises(LocalError, match=f"began with .* {found}, and now it would be at {address}"):
        wanted(begun)


def test_a_shell_that_has_read_the_environment_of_the_stack_starts_it_as_before(begun, monkeypatch):
    """Otherwise its own simulator, which has ended, would be taken for a Kafka of the user's."""
    remembered = begun.remembered()
    monkeypatch.setenv("KAFKA_BOOTSTRAP_SERVERS", remembered.kafka_address)
    monkeypatch.setenv("REDIS_URL", remembered.redis_address)
    again, _ = wanted(begun)
    assert (again.kafka, again.redis, again.log) == ("simulator", "embedded", remembered.log)


def test_on_the_user_s_redis_a_stack_has_keys_of_its_own(directory, monkeypatch):
    monkeypatch.setenv("REDIS_URL", "redis://store:6379/0")
    remembered, _ = wanted(directory, "--definitions", MACHINES)
    assert remembered.redis == "yours"
    assert remembered.namespace.startswith("millrace-")
    assert os.environ["REDIS_URL"] == remembered.redis_address
