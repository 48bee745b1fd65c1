"""The web server of this process: uvicorn on a thread, on a port that is bound before anything is said of it."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from ipaddress import ip_address

import structlog
import uvicorn
from fastapi import FastAPI

from shared_features.access.callers import Callers, callers_of
from shared_features.access.server_certificate import ShownCertificate, certificate_files
from training.errors import RequestError
from training.settings import TrainingSettings

_END_S = 10
_HEADERS = [("x-content-type-options", "nosniff"), ("cache-control", "no-store"), ("referrer-policy", "no-referrer")]
_LOG = structlog.get_logger(part="service")


@contextmanager
def serving_http(settings: TrainingSettings, build: Callable[[Callers | None], FastAPI]) -> Iterator[str | None]:
    """Answers inside the block; gives the address, or None where the port is 0.

    build: gets who may ask, where requests need a key or a token.

    Raises RequestError for an address that cannot be used, and for one that others reach without a key; KeyFileError,
    IssuerSettingError and CertificateFileError for what cannot be used.
    """
    if settings.runs_port == 0:
        yield None
        return
    callers = callers_of(settings, _LOG.warning)
    if callers is None and not is_loopback(settings.runs_host):
        raise RequestError(
            f"MILLRACE_RUNS_HOST is {settings.runs_host!r}, which other machines reach, and there are no API keys. Set "
            "MILLRACE_API_KEYS_FILE to a file, and make a key by `keys new NAME --scope read`."
        )
    files = certificate_files(settings.tls_certificate, settings.tls_key)
    certificate = None if files is None else ShownCertificate(files, _LOG.warning)
    with _bound(settings.runs_host, settings.runs_port) as bound:
        config = uvicorn.Config(
            build(callers),
            access_log=False,
            log_config=None,
            server_header=False,
            headers=_HEADERS,
            ssl_context_factory=None if certificate is None else lambda config, default: certificate.context,
            timeout_graceful_shutdown=_END_S,
        )
        for watched in (callers, certificate):
            if watched is not None:
                watched.start()
        _LOG.info(
            "asking for API keys or tokens"
            if callers
            else "open: everybody on this machine may ask, without an API key"
        )
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, args=([bound],), name="http", daemon=True)
        thread.start()
        try:
            yield f"{'http' if certificate is None else 'https'}://{settings.runs_host}:{settings.runs_port}"
        finally:
            server.should_exit = True
            if callers is not None:
                callers.stop()
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
