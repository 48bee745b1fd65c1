from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

import pytest

from training.errors import RegistryError
from training.registry.mlflow_bridge.client import mlflow_client, without_password


def refusal(uri: str) -> str:
    with pytest.raises(RegistryError) as caught, mlflow_client(uri):
        pass
    return str(caught.value)


def test_an_mlflow_has_to_be_named() -> None:
    assert "No MLflow is named. Neither --uri nor MILLRACE_MLFLOW says where it is" in refusal("")


def test_without_its_client_the_extra_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(sys.modules, "mlflow", None)
    assert "Install the extra `millrace[mlflow]`" in refusal(str(tmp_path))


def test_nothing_is_told_to_the_makers_of_mlflow(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("MLFLOW_DISABLE_TELEMETRY", raising=False)
    with mlflow_client(str(tmp_path)):
        from mlflow.telemetry.client import get_telemetry_client

        assert os.environ["MLFLOW_DISABLE_TELEMETRY"] == "true"
        client: Any = get_telemetry_client()
        assert client is None


@pytest.mark.parametrize(
    ("uri", "said"),
    [
        ("https://ada:secret@models.example:8080/a?b=c", "https://...@models.example:8080/a?b=c"),
        ("http://localhost:5000", "http://localhost:5000"),
        ("var/mlflow", "var/mlflow"),
    ],
)
def test_no_password_is_logged(uri: str, said: str) -> None:
    assert without_password(uri) == said


def test_a_server_that_does_not_answer_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    with (
        pytest.raises(RegistryError, match=r"^MLflow at http://\.\.\.@127\.0\.0\.1:1 refused: ") as caught,
        mlflow_client("http://ada:secret@127.0.0.1:1") as client,
    ):
        client.search_registered_models()
    assert "secret" not in str(caught.value)
