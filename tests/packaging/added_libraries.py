"""Trials of the extras that add a library to a service: each is used once for what it is there for."""

from __future__ import annotations

import time

import pytest

from tests.local_issuer import AUDIENCE, local_issuer
from tests.packaging.checks import HERE, OF_GRPC, OF_OTEL, expect, expect_status, imports, served, status_of
from tests.packaging.fresh_environment import FreshEnvironment, TrialError
from tests.s3_server import s3_server
from tests.serving.tracing.collector import collecting

BOOSTING = ("xgboost", "lightgbm", "catboost")
"""One installation has all three: together they are half a gigabyte."""
_WITHIN_S = 60.0
_PREDICT = "/v1/views/card_fraud:predict"


def boosting(installed: FreshEnvironment) -> None:
    """Fits, exports and scores a small model of each library, through the code that a training run goes through."""
    for library in BOOSTING:
        said = installed.run("python", "-I", HERE / "fit_one_candidate.py", library)
        expect(f"{library}: a graph says what was fitted", said)


def search(installed: FreshEnvironment) -> None:
    expect("the best of 4 trials", installed.run("python", "-I", HERE / "search_one_parameter.py"))


def s3(installed: FreshEnvironment) -> None:
    imports("shared_features.registry_storage")(installed)
    try:
        with s3_server() as server:
            url = f"s3://{server.bucket()}/registry"
            expect(
                f"no model in {url} yet",
                installed.run("python", "-m", "training", "models", also={"MILLRACE_REGISTRY": url}),
            )
    except pytest.skip.Exception as error:
        raise TrialError(str(error)) from error


def oidc(installed: FreshEnvironment) -> None:
    """An endpoint that asks an issuer: no token, a wrong one, a right one."""
    imports("shared_features.access", "serving", OF_GRPC, *OF_OTEL)(installed)
    with local_issuer() as issuer:
        asked = {"MILLRACE_OIDC_ISSUER": issuer.url, "MILLRACE_OIDC_AUDIENCE": AUDIENCE}
        with served(installed, also=asked) as port:
            _until_keys_are_known(port, issuer.token())
            for token, wanted in ((issuer.token(aud="another"), 401), (issuer.token(), 422)):
                expect_status(401, port, _PREDICT, body="{}")
                expect_status(wanted, port, _PREDICT, {"authorization": f"Bearer {token}"}, "{}")


def _until_keys_are_known(port: int, token: str) -> None:
    """An endpoint that has just started answers 503, as a client is to send its request again."""
    until = time.monotonic() + _WITHIN_S
    while status_of(port, _PREDICT, {"authorization": f"Bearer {token}"}, "{}") == 503 and time.monotonic() < until:
        time.sleep(0.1)


def otel(installed: FreshEnvironment) -> None:
    """A span of a request comes to a collector."""
    imports("shared_features", "serving", OF_GRPC)(installed)
    with collecting() as collector:
        also = {"MILLRACE_TRACES": "true", "OTEL_EXPORTER_OTLP_ENDPOINT": collector.url, "NO_PROXY": "127.0.0.1"}
        with served(installed, also=also) as port:
            expect_status(422, port, _PREDICT, body="{}")
            until = time.monotonic() + _WITHIN_S
            while not collector.seen and time.monotonic() < until:
                time.sleep(0.1)
        if not collector.seen:
            raise TrialError("No span of a request came to the collector.")
