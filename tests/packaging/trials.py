"""What an installation must be able to do, extra by extra."""

from __future__ import annotations

from tests.packaging.added_libraries import BOOSTING, boosting, oidc, otel, s3, search
from tests.packaging.checks import HERE, OF_GRPC, OF_OTEL, OF_TRACED_RUNS, Trial, expect, imports, serves
from tests.packaging.fresh_environment import FreshEnvironment

_MACHINES = HERE.parent / "domains" / "machines.py"


def without_extras(installed: FreshEnvironment) -> None:
    """Definitions and kernel alone."""
    imports("shared_features")(installed)
    installed.run("python", "-I", HERE / "compute_one_value.py")


def streaming(installed: FreshEnvironment) -> None:
    imports("shared_features", "streaming")(installed)
    expect("millrace 0.", installed.run("python", "-m", "streaming", "version"))
    expect("usage:", installed.run("millrace-stream", "--help"))
    refusal = installed.run("python", "-m", "streaming", "check", exit_code=1)
    expect("Kafka", refusal)
    expect("Redis", refusal)


def training(installed: FreshEnvironment) -> None:
    imports("shared_features", "training", "-training.scheduler", "-training.service", OF_TRACED_RUNS)(installed)
    expect("usage:", installed.run("millrace-train", "--help"))
    expect("MILLRACE_LAKE", installed.run("python", "-m", "training", "run", exit_code=1))
    expect("Install the extra `millrace[scheduler]`", installed.run("python", "-m", "training", "serve", exit_code=1))
    expect("Install the extra `millrace[kafka]`", _audit_of_scores(installed))


def _audit_of_scores(installed: FreshEnvironment) -> str:
    scored = {"MILLRACE_SCORE_TOPICS": '{"card_fraud": "scores"}'}
    return installed.run("python", "-m", "training", "audit", "--scores", exit_code=1, also=scored)


def kafka(installed: FreshEnvironment) -> None:
    """An audit of scores comes as far as brokers that do not answer."""
    expect("does not answer", _audit_of_scores(installed))


def serving(installed: FreshEnvironment) -> None:
    imports("shared_features", "serving", OF_GRPC, *OF_OTEL)(installed)
    expect("usage:", installed.run("millrace-serve", "--help"))
    refusal = installed.run("millrace-serve", "--serving-grpc-port", "0", exit_code=2)
    expect("Install the extra `millrace[grpc]`", refusal)
    serves(installed)


def grpc(installed: FreshEnvironment) -> None:
    imports("shared_features", "serving", *OF_OTEL)(installed)
    serves(installed, "--serving-grpc-port", "0")
    expect("answering over gRPC", (installed.elsewhere / "serving.log").read_text())


_NAMED = ("KAFKA_BOOTSTRAP_SERVERS", "REDIS_URL")
"""They name ports where nothing answers. Without them `up` brings its own."""


def scheduler(installed: FreshEnvironment) -> None:
    imports("shared_features", "training", OF_TRACED_RUNS)(installed)


def all_together(installed: FreshEnvironment) -> None:
    """One command, without a checkout: a stack of one's own definitions goes up and down."""
    of_extras = (OF_GRPC, *OF_OTEL, OF_TRACED_RUNS)
    imports("shared_features", "streaming", "training", "serving", "deploy", *of_extras)(installed)
    expect("on this machine:", installed.run("millrace", "--help"))
    expect("Did you mean `status`?", installed.run("millrace", "stauts", exit_code=2))
    (installed.elsewhere / "my_machines.py").write_text(_MACHINES.read_text())
    try:
        expect(
            "everything is up",
            installed.run("millrace", "up", "--detach", "--definitions", "my_machines", without=_NAMED),
        )
        expect("serving", installed.run("millrace", "status", without=_NAMED))
    finally:
        expect("the data stay", installed.run("millrace", "down", without=_NAMED))
    for program in ("streaming", "training", "serving"):
        expect("usage:", installed.run("python", "-m", program, "--help"))


TRIALS: tuple[tuple[tuple[str, ...], Trial], ...] = (
    ((), without_extras),
    (("streaming",), streaming),
    (("training",), training),
    (("kafka",), kafka),
    (("scheduler",), scheduler),
    (("serving",), serving),
    (("grpc",), grpc),
    (BOOSTING, boosting),
    (("search",), search),
    (("training", "s3"), s3),
    (("serving", "oidc"), oidc),
    (("serving", "otel"), otel),
    (("all",), all_together),
)
"""The extras that are installed, and what is then tried."""
