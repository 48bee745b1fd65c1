"""What an installation must be able to do, extra by extra."""

from __future__ import annotations

import http.client
from collections.abc import Callable
from pathlib import Path

from deploy.embedded.ports import free_port
from deploy.embedded.processes.background_process import BackgroundProcess
from tests.packaging.fresh_environment import FreshEnvironment, TrialError

_HERE = Path(__file__).parent
_MACHINES = _HERE.parent / "domains" / "machines.py"
_OF_GRPC = "-serving.endpoints.inference.over_grpc"
_OF_OTEL = ("-serving.tracing.tracing", "-serving.tracing.exported_spans")
_TRACE_OF_RUNS = "-training.runs.records.sent_trace"
"""The extras `grpc` and `otel` alone install what they need."""
_UP_WITHIN_S = 300.0  # the endpoint compiles its part of the kernel at its first start

Trial = Callable[[FreshEnvironment], None]


def without_extras(installed: FreshEnvironment) -> None:
    """Definitions and kernel alone."""
    _import("shared_features")(installed)
    installed.run("python", "-I", _HERE / "compute_one_value.py")


def streaming(installed: FreshEnvironment) -> None:
    _import("shared_features", "streaming")(installed)
    _expect("millrace 0.", installed.run("python", "-m", "streaming", "version"))
    _expect("usage:", installed.run("millrace-stream", "--help"))
    refusal = installed.run("python", "-m", "streaming", "check", exit_code=1)
    _expect("Kafka", refusal)
    _expect("Redis", refusal)


def training(installed: FreshEnvironment) -> None:
    _import("shared_features", "training", "-training.scheduler", "-training.service", _TRACE_OF_RUNS)(installed)
    _expect("usage:", installed.run("millrace-train", "--help"))
    _expect("MILLRACE_LAKE", installed.run("python", "-m", "training", "run", exit_code=1))
    _expect("Install the extra `millrace[scheduler]`", installed.run("python", "-m", "training", "serve", exit_code=1))


def serving(installed: FreshEnvironment) -> None:
    _import("shared_features", "serving", _OF_GRPC, *_OF_OTEL)(installed)
    _expect("usage:", installed.run("millrace-serve", "--help"))
    refusal = installed.run("millrace-serve", "--serving-grpc-port", "0", exit_code=2)
    _expect("Install the extra `millrace[grpc]`", refusal)
    _serves(installed)


def grpc(installed: FreshEnvironment) -> None:
    _import("shared_features", "serving", *_OF_OTEL)(installed)
    _serves(installed, "--serving-grpc-port", "0")
    _expect("answering over gRPC", (installed.elsewhere / "serving.log").read_text())


def _serves(installed: FreshEnvironment, *options: str) -> None:
    port = free_port()
    child = BackgroundProcess(
        [str(installed.bin / "python"), "-m", "serving", *options],
        log=installed.elsewhere / "serving.log",
        cwd=installed.elsewhere,
        environment={**installed.variables, "MILLRACE_SERVING_PORT": str(port)},
    )
    try:
        child.wait_until(lambda: _status(port, "/health/live") == 200, what="serving", within_s=_UP_WITHIN_S)
        for path, wanted in (("/docs", 200), ("/openapi.json", 200), ("/health/ready", 503)):
            if (status := _status(port, path)) != wanted:
                raise TrialError(f"{path} answered {status}, not {wanted}. Its log ends:\n{child.last_words()}")
    finally:
        child.stop(30.0)
    if child.exit_code != 0:
        raise TrialError(f"serving ended with exit code {child.exit_code} when asked to. {child.last_words()}")


_NAMED = ("KAFKA_BOOTSTRAP_SERVERS", "REDIS_URL")
"""They name ports where nothing answers. Without them `up` brings its own."""


def scheduler(installed: FreshEnvironment) -> None:
    _import("shared_features", "training", _TRACE_OF_RUNS)(installed)


def all_together(installed: FreshEnvironment) -> None:
    """One command, without a checkout: a stack of one's own definitions goes up and down."""
    of_extras = (_OF_GRPC, *_OF_OTEL, _TRACE_OF_RUNS)
    _import("shared_features", "streaming", "training", "serving", "deploy", *of_extras)(installed)
    _expect("on this machine:", installed.run("millrace", "--help"))
    _expect("Did you mean `status`?", installed.run("millrace", "stauts", exit_code=2))
    (installed.elsewhere / "my_machines.py").write_text(_MACHINES.read_text())
    try:
        _expect(
            "everything is up",
            installed.run("millrace", "up", "--detach", "--definitions", "my_machines", without=_NAMED),
        )
        _expect("serving", installed.run("millrace", "status", without=_NAMED))
    finally:
        _expect("the data stay", installed.run("millrace", "down", without=_NAMED))
    for program in ("streaming", "training", "serving"):
        _expect("usage:", installed.run("python", "-m", program, "--help"))


TRIALS: tuple[tuple[tuple[str, ...], Trial], ...] = (
    ((), without_extras),
    (("streaming",), streaming),
    (("training",), training),
    (("scheduler",), scheduler),
    (("serving",), serving),
    (("grpc",), grpc),
    (("all",), all_together),
)
"""The extras that are installed, and what is then tried."""


def _import(*packages: str) -> Trial:
    return lambda installed: print(installed.run("python", "-I", _HERE / "import_everything.py", *packages), end="")


def _expect(text: str, said: str) -> None:
    if text not in said:
        raise TrialError(f"Expected {text!r} in what it said, which is:\n{said}")


def _status(port: int, path: str) -> int | None:
    """The status of an answer; None while nobody answers."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10.0)
    try:
        connection.request("GET", path)
        return connection.getresponse().status
    except (OSError, http.client.HTTPException):
        return None
    finally:
        connection.close()
