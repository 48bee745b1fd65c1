"""Ports that nobody listens on."""

from __future__ import annotations

import socket

from deploy.embedded.ports import LOOPBACK, answers, free_port, is_free


def test_free_ports_are_free() -> None:
    assert not any(answers(free_port()) for _ in range(20))


def test_a_port_answers_while_somebody_listens() -> None:
    with socket.create_server((LOOPBACK, 0)) as server:
        port = int(server.getsockname()[1])
        assert answers(port)
    assert not answers(port)


def test_a_port_is_free_until_somebody_listens() -> None:
    with socket.create_server((LOOPBACK, 0)) as server:
        port = int(server.getsockname()[1])
        assert not is_free(port)
    assert is_free(port)
