"""Kafka and Redis in containers, wherever a Docker engine answers and has their images or may pull them."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager

import docker
import pytest
import requests
from docker.errors import DockerException, ImageNotFound
from testcontainers.community.kafka import KafkaContainer
from testcontainers.community.redis import RedisContainer

from tests.end_to_end.brokers import NOT_TESTED

KAFKA_IMAGE = "confluentinc/cp-kafka:7.6.0"
REDIS_IMAGE = "redis:7"
MAY_PULL = "MILLRACE_TESTS_MAY_PULL"


@contextmanager
def container_brokers() -> Iterator[tuple[str, str]]:
    """(bootstrap servers, Redis URL) of two containers. Skips the test where they cannot be had."""
    if reason := _missing():
        NOT_TESTED.append(f"containers: {reason}")
        pytest.skip(reason)
    with KafkaContainer(KAFKA_IMAGE).with_kraft() as kafka, RedisContainer(REDIS_IMAGE) as store:
        redis_url = f"redis://{store.get_container_host_ip()}:{store.get_exposed_port(6379)}/0"
        yield kafka.get_bootstrap_server(), redis_url


def _missing() -> str | None:
    if not _listens():
        return "no Docker engine answers"
    try:
        client = docker.from_env(timeout=5)
        client.ping()
    except (DockerException, requests.RequestException):
        return "no Docker engine answers"
    if os.environ.get(MAY_PULL):
        return None
    for image in (KAFKA_IMAGE, REDIS_IMAGE):
        try:
            client.images.get(image)
        except ImageNotFound:
            return f"the Docker engine lacks the image {image}; pull it, or set {MAY_PULL}=1"
    return None


def _listens() -> bool:
    """Whether anybody is behind the engine's socket; the client itself would leave a socket open where nobody is."""
    host = os.environ.get("DOCKER_HOST", "unix:///var/run/docker.sock")
    if not host.startswith("unix://"):
        return True
    with socket.socket(socket.AF_UNIX) as probe:
        return probe.connect_ex(host.removeprefix("unix://")) == 0
