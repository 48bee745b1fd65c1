"""What trials of installations have in common: modules that import, words that are said, an endpoint that answers."""

from __future__ import annotations

import http.client
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from deploy.embedded.ports import free_port
from deploy.embedded.processes.background_process import BackgroundProcess
from tests.packaging.fresh_environment import FreshEnvironment, TrialError

HERE = Path(__file__).parent
OF_GRPC = "-serving.endpoints.inference.over_grpc"
OF_OTEL = ("-serving.tracing.tracing", "-serving.tracing.exported_spans")
OF_TRACED_RUNS = "-training.runs.records.sent_trace"
"""The extras `grpc` and `otel` alone install what they need."""
_UP_WITHIN_S = 300.0  # the endpoint compiles its part of the kernel at its first start

Trial = Callable[[FreshEnvironment], None]


def imports(*packages: str) -> Trial:
    """Every module of these packages, without those that begin with a hyphen."""
    return lambda installed: print(installed.run("python", "-I", HERE / "import_everything.py", *packages), end="")


def expect(text: str, said: str) -> None:
    if text not in said:
        raise TrialError(f"Expected {text!r} in what it said, which is:\n{said}")


@contextmanager
def served(installed: FreshEnvironment, *options: str, also: Mapping[str, str] | None = None) -> Iterator[int]:
    """The port of an endpoint that answers; it has to end with 0. also: environment variables."""
    port = free_port()
    child = BackgroundProcess(
        [str(installed.bin / "python"), "-m", "serving", *options],
        log=installed.elsewhere / "serving.log",
        cwd=installed.elsewhere,
        environment={**installed.variables, "MILLRACE_SERVING_PORT": str(port), **(also or {})},
    )
    try:
        child.wait_until(lambda: status_of(port, "/health/live") == 200, what="serving", within_s=_UP_WITHIN_S)
        yield port
    finally:
        child.stop(30.0)
    if child.exit_code != 0:
        raise TrialError(f"serving ended with exit code {child.exit_code} when asked to. {child.last_words()}")


def serves(installed: FreshEnvironment, *options: str) -> None:
    with served(installed, *options) as port:
        for path, wanted in (("/docs", 200), ("/openapi.json", 200), ("/health/ready", 503)):
            expect_status(wanted, port, path)


def expect_status(wanted: int, port: int, path: str, head: Mapping[str, str] | None = None, body: str = "") -> None:
    if (found := status_of(port, path, head, body)) != wanted:
        raise TrialError(f"{path} answered {found}, not {wanted}, with the headers {sorted(head or {})}.")


def status_of(port: int, path: str, head: Mapping[str, str] | None = None, body: str = "") -> int | None:
    """The status of an answer; None while nobody answers. body: is posted, if it is not empty."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10.0)
    try:
        connection.request("POST" if body else "GET", path, body or None, dict(head or {}))
        return connection.getresponse().status
    except (OSError, http.client.HTTPException):
        return None
    finally:
        connection.close()
