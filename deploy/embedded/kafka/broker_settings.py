"""The settings of an embedded broker of Apache Kafka: its `server.properties`."""

from __future__ import annotations

from pathlib import Path

from deploy.embedded.ports import LOOPBACK

_SETTINGS = {
    "process.roles": "broker,controller",
    "node.id": "1",
    "controller.listener.names": "CONTROLLER",
    "inter.broker.listener.name": "PLAINTEXT",
    "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
    "transaction.state.log.min.isr": "1",
    "share.coordinator.state.topic.min.isr": "1",
    "group.initial.rebalance.delay.ms": "0",
    "auto.create.topics.enable": "false",
    "unclean.leader.election.enable": "false",
    "log.retention.ms": "-1",
    # After a kill the controller waits for the old session to end before it takes the broker back.
    "broker.session.timeout.ms": "3000",
    "broker.heartbeat.interval.ms": "500",
    "num.network.threads": "2",
    "num.io.threads": "2",
}


def broker_settings(
    data: Path,
    ports: tuple[int, int],
    replicas: int,
    *,
    joins: int | None = None,
    proxied: tuple[int, int] | None = None,
) -> dict[str, str]:
    """By name. `ports`: of the broker and of its controller. `joins`: the port of the first broker's controller.

    `proxied`: the port that a proxy leads to, and the port of the proxy, which clients that come that way are told.
    """
    settings = {**_SETTINGS, **_replicated(replicas), "log.dirs": str(data)}
    settings |= _listeners(*ports) if joins is None else _joining(ports[0], joins)
    if proxied is not None:
        settings["listeners"] += f",PROXIED://{LOOPBACK}:{proxied[0]}"
        settings["advertised.listeners"] += f",PROXIED://{LOOPBACK}:{proxied[1]}"
        settings["listener.security.protocol.map"] += ",PROXIED:PLAINTEXT"
    return settings


def _listeners(port: int, controller_port: int) -> dict[str, str]:
    return {
        "listeners": f"PLAINTEXT://{LOOPBACK}:{port},CONTROLLER://{LOOPBACK}:{controller_port}",
        "advertised.listeners": f"PLAINTEXT://{LOOPBACK}:{port}",
        "controller.quorum.voters": f"1@{LOOPBACK}:{controller_port}",
    }


def _joining(port: int, controller_port: int) -> dict[str, str]:
    return {
        "process.roles": "broker",
        "node.id": "2",
        "listeners": f"PLAINTEXT://{LOOPBACK}:{port}",
        "advertised.listeners": f"PLAINTEXT://{LOOPBACK}:{port}",
        "controller.quorum.voters": f"1@{LOOPBACK}:{controller_port}",
    }


def _replicated(replicas: int) -> dict[str, str]:
    """Kafka's own topics. One partition each keeps the start short."""
    own = ("offsets.topic", "transaction.state.log", "share.coordinator.state.topic")
    factors = {f"{topic}.replication.factor": str(replicas) for topic in own}
    return factors | {f"{topic}.num.partitions": "1" for topic in own}
