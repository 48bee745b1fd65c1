"""The port of gRPC is refused by name where it cannot be had, before anything is served."""

from __future__ import annotations

import importlib.util
import socket

import pytest

from serving.__main__ import main
from serving.connections.grpc_port import with_grpc_port
from serving.settings import load_settings


def test_without_the_setting_nothing_is_looked_at() -> None:
    settings = load_settings()
    assert settings.serving_grpc_port is None
    assert with_grpc_port(settings) is settings


def test_a_free_port_is_the_same_for_all_processes() -> None:
    port = with_grpc_port(load_settings(serving_grpc_port=0)).serving_grpc_port
    assert port
    assert load_settings(serving_grpc_port=port).environment()["MILLRACE_SERVING_GRPC_PORT"] == str(port)


def test_a_port_that_another_program_shares_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    """By SO_REUSEPORT two services on one port would each get a part of the connections, and nobody would see it."""
    with socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        assert main(["--serving-grpc-port", str(port)]) == 2
    told = capsys.readouterr().err
    assert f"Setting serving_grpc_port (MILLRACE_SERVING_GRPC_PORT) is {port}" in told
    assert "Address already in use. Name another port." in told


def test_what_must_be_installed_is_named(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    find = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "grpc" else find(name))
    assert main(["--serving-grpc-port", "0"]) == 2
    assert "Install the extra `millrace[grpc]`" in capsys.readouterr().err
