"""The settings of one broker alone, of one that joins, and of one behind a proxy."""

from pathlib import Path

from deploy.embedded.kafka.broker_settings import broker_settings

DATA = Path("/data")


def test_the_first_broker_is_the_controller_too() -> None:
    settings = broker_settings(DATA, (10, 11), 1)
    assert settings["process.roles"] == "broker,controller"
    assert settings["listeners"] == "PLAINTEXT://127.0.0.1:10,CONTROLLER://127.0.0.1:11"
    assert settings["controller.quorum.voters"] == "1@127.0.0.1:11"
    assert settings["log.dirs"] == "/data"


def test_a_broker_that_joins_has_the_first_ones_controller_and_its_own_number() -> None:
    first, second = broker_settings(DATA, (10, 11), 2), broker_settings(DATA, (20, 21), 2, joins=11)
    assert (second["process.roles"], second["node.id"], second["listeners"]) == (
        "broker",
        "2",
        "PLAINTEXT://127.0.0.1:20",
    )
    assert second["controller.quorum.voters"] == first["controller.quorum.voters"]
    assert first["offsets.topic.replication.factor"] == second["offsets.topic.replication.factor"] == "2"


def test_who_comes_by_the_proxy_is_sent_to_the_proxy() -> None:
    settings = broker_settings(DATA, (10, 11), 1, proxied=(30, 31))
    assert "PROXIED://127.0.0.1:30" in settings["listeners"]
    assert settings["advertised.listeners"] == "PLAINTEXT://127.0.0.1:10,PROXIED://127.0.0.1:31"
    assert settings["listener.security.protocol.map"].endswith(",PROXIED:PLAINTEXT")
    assert "PROXIED" not in broker_settings(DATA, (10, 11), 1)["listener.security.protocol.map"]
