"""The web server of this process: uvicorn on a thread, on a port that is bound before anything is said of it."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from ipaddress import ip_address

import uvicorn
from fastapi import FastAPI

from training.errors import RequestError
from training.settings import TrainingSettings

_END_S = 10


@contextmanager
def serving_http(settings: TrainingSettings, build: Callable[[], FastAPI]) -> Iterator[str | None]:
    """Answers inside the block; gives the address, or None where the port is 0.

    Raises RequestError for an address that cannot be used, and for one that others reach without a key.
    """
    if settings.runs_port == 0:
        yield None
        return
    if settings.runs_keys is None and not is_loopback(settings.runs_host):
        raise RequestError(
            f"MILLRACE_RUNS_HOST is {settings.runs_host!r}, which other machines reach, and there are no API keys. Set "
            "MILLRACE_RUNS_KEYS to a file, and make a key by `python -m training key NAME`."
        )
    with _bound(settings.runs_host, settings.runs_port) as bound:
        config = uvicorn.Config(
            build(), access_log=False, log_config=None, server_header=False, timeout_graceful_shutdown=_END_S
        )
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, args=([bound],), name="http", daemon=True)
        thread.start()
        try:
            yield f"http://{settings.runs_host}:{settings.runs_port}"
        finally:
            server.should_exit = True
            thread.join(2 * _END_S)


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches the address."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _bound(host: str, port: int) -> socket.socket:
    try:
        return socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET)
    except OSError as error:
        raise RequestError(
            f"Nobody can be answered on {host}:{port}: {error.strerror}. Set MILLRACE_RUNS_PORT to a free port, or "
            "to 0 if another process on this machine answers for the same runs."
        ) from error
