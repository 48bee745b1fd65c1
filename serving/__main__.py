"""The command line: `python -m serving` (or `millrace-serve`) serves predictions until it is asked to stop.

`python -m serving predict` asks such a service for a prediction. `python -m serving keys` makes and withdraws API keys.
"""

from __future__ import annotations

import os
import signal
import sys
import tempfile
from collections.abc import Sequence
from functools import partial
from types import FrameType
from typing import NoReturn

import uvicorn

from serving.client.predict_command import run as predict
from serving.connections.client_connection import ClientConnection
from serving.connections.connection_keeper import ConnectionKeeper, accepted_at_once
from serving.connections.grpc_port import with_grpc_port
from serving.connections.tls import server_context
from serving.connections.worker_processes import answer_until_asked_to_stop
from serving.log import configure_log, get_log
from serving.settings import ServingSettings, load_settings
from serving.tracing.opened_tracing import check_tracing
from shared_features.access.callers import check_callers
from shared_features.access.key_commands import do_with_keys, key_options
from shared_features.access.server_certificate import certificate_files
from shared_features.closed_pipe import ends_with_its_reader
from shared_features.definitions import load_definitions
from shared_features.errors import MillraceError

MULTIPROCESS_VARIABLE = "PROMETHEUS_MULTIPROC_DIR"
_WORKER_ANSWERS_WITHIN_S = 120
"""A worker answers once it has imported everything, which takes longer than uvicorn's 5 s on a busy machine."""

_HEADERS = [("x-content-type-options", "nosniff"), ("referrer-policy", "no-referrer")]
"""Of every answer. `server` and its version are in none."""


@ends_with_its_reader
def main(arguments: Sequence[str] | None = None) -> int:
    """Serve until SIGTERM or SIGINT, then drain. Exit code 0, or 2 for a wrong setting or definition."""
    given = sys.argv[1:] if arguments is None else arguments
    if given[:1] == ["predict"]:
        return predict(given[1:])
    try:
        if given[:1] == ["keys"]:
            return do_with_keys(key_options(given[1:], "python -m serving keys"), load_settings().api_keys_file)
        settings = load_settings(given)
        certificate = certificate_files(settings.tls_certificate, settings.tls_key)
        is_closed = check_callers(settings)
        check_tracing(settings)
        load_definitions(settings.definitions)
        settings = with_grpc_port(settings)
    except MillraceError as error:
        print(f"python -m serving: {error}", file=sys.stderr)
        return 2
    configure_log(settings)
    _tell_who_may_ask(settings, is_closed=is_closed)
    os.environ.update(settings.environment())  # for the workers
    os.environ.setdefault("GRPC_VERBOSITY", "NONE")  # or it writes lines of its own into the log
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _end)
    with tempfile.TemporaryDirectory(prefix="millrace-metrics-") as directory:
        if settings.serving_workers > 1:
            os.environ.setdefault(MULTIPROCESS_VARIABLE, directory)  # before any worker imports the metrics
        config = uvicorn.Config(
            "serving.app:build",
            factory=True,
            host=settings.serving_host,
            port=settings.serving_port,
            workers=settings.serving_workers,
            loop="serving.connections.tls:server_loop",
            http=partial(ClientConnection, ConnectionKeeper.of(settings)),  # type: ignore[arg-type]  # called like a type
            ws="none",
            lifespan="on",
            access_log=False,
            log_config=None,
            server_header=False,
            headers=_HEADERS,
            ssl_context_factory=None if certificate is None else partial(server_context, certificate),
            proxy_headers=False,  # nothing here needs the address of the client
            backlog=accepted_at_once(settings),
            timeout_keep_alive=settings.serving_keep_alive_s,
            timeout_graceful_shutdown=10,
            timeout_worker_healthcheck=_WORKER_ANSWERS_WITHIN_S,
        )
        answer_until_asked_to_stop(config)
    return 0


def _tell_who_may_ask(settings: ServingSettings, *, is_closed: bool) -> None:
    said = {"host": settings.serving_host, "tls": settings.tls_certificate is not None}
    if not is_closed:
        get_log("serving").warning("open: everybody who can connect may ask, without an API key", **said)
    else:
        asked = {"file": settings.api_keys_file and str(settings.api_keys_file), "issuer": settings.oidc_issuer}
        get_log("serving").info("asking for API keys or tokens", **asked, **said)


def _end(number: int, frame: FrameType | None) -> NoReturn:
    """uvicorn drains on a signal and then raises the signal once more. An orderly stop ends with exit code 0."""
    raise SystemExit(0)


if __name__ == "__main__":
    sys.exit(main())
