"""TLS of the connections of one process, by a certificate that is read again when its files change."""

from __future__ import annotations

import ssl
from collections.abc import Callable

from uvicorn import Config

from serving.log import get_log
from shared_features.access.server_certificate import Settings, ShownCertificate


def server_context(files: Settings, config: Config, default: Callable[[], ssl.SSLContext]) -> ssl.SSLContext:
    """What uvicorn asks for in each process that answers."""
    certificate = ShownCertificate(files, get_log("serving").warning)
    certificate.start()
    return certificate.context
