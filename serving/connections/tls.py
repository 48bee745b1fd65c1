"""TLS of the connections of one process: its certificate, read again when its files change, and how long a client may
take for the handshake. Until then there is no `ClientConnection` for `ConnectionKeeper` to look at.
"""

from __future__ import annotations

import ssl
from collections.abc import Callable
from typing import Any

import uvloop
from uvicorn import Config

from serving.log import get_log
from serving.settings import load_settings
from shared_features.access.server_certificate import Settings, ShownCertificate


class ServerLoop(uvloop.Loop):
    """An event loop whose servers give a handshake `handshake_s`. By default it has 60 s, and uvicorn sets nothing."""

    def __init__(self, handshake_s: float) -> None:
        super().__init__()
        self._handshake_s = handshake_s

    async def create_server(self, *where: Any, **options: Any) -> Any:
        """A server, of TLS where options have `ssl`."""
        if options.get("ssl") is not None:
            options["ssl_handshake_timeout"] = self._handshake_s
        return await super().create_server(*where, **options)


def server_loop() -> ServerLoop:
    """What uvicorn asks for in each process that answers: a handshake is the head of a connection."""
    return ServerLoop(load_settings().serving_receive_s)


def server_context(files: Settings, config: Config, default: Callable[[], ssl.SSLContext]) -> ssl.SSLContext:
    """What uvicorn asks for in each process that answers."""
    certificate = ShownCertificate(files, get_log("serving").warning)
    certificate.start()
    return certificate.context
