"""Ports that nobody listens on."""

from __future__ import annotations

import random
import socket
import subprocess
import sys

import pytest

from deploy.embedded.ports import LOOPBACK, answers, free_port, is_free
from tests.streaming.processes import ROOT


def test_free_ports_are_free() -> None:
    assert not any(answers(free_port()) for _ in range(20))


@pytest.mark.skipif(sys.platform != "linux", reason="no names that the kernel gives to one process at a time")
def test_a_port_that_another_process_has_just_chosen_is_chosen_by_nobody_else(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two test processes chose one port, and the server that came second did not start."""
    chooses = "from deploy.embedded.ports import free_port; print(free_port(), flush=True); input()"
    command = [sys.executable, "-c", chooses]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout is not None
        chosen, draw = int(other.stdout.readline()), random.randrange
        draws = iter([chosen, chosen])
        monkeypatch.setattr(random, "randrange", lambda low, high: next(draws, None) or draw(low, high))
        assert is_free(chosen)
        assert free_port() != chosen
        assert next(draws, None) is None, "it was drawn, and passed over"


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
