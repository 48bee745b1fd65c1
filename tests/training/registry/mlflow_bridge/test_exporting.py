"""The same against a server of MLflow, which also runs the model: all of `mlflow`, in an environment of its own.

What the server refuses or stores otherwise than a folder does shows here alone.
"""

from __future__ import annotations

import importlib.metadata
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.request import urlopen

import numpy as np
import pytest

from deploy.embedded.ports import free_port
from tests.end_to_end.brokers import NOT_TESTED
from tests.training.registry.sound_versions import MODEL, publish_sound
from training.__main__ import main
from training.models.graph.onnx_export import open_session, run_session
from training.registry.aliases import Aliases
from training.registry.verification import verify_all
from training.registry.versions import Registry

LOAD = """
import sys, json, mlflow, numpy
mlflow.set_tracking_uri(sys.argv[1])
rows = numpy.load(sys.argv[2])
found = mlflow.pyfunc.load_model("models:/card_fraud@champion").predict(rows)
numpy.save(sys.argv[3], found["score"])
"""


@pytest.mark.deep
def test_a_server_keeps_a_registry_gives_it_back_and_runs_its_champion(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    python = _environment(tmp_path / "environment")
    ours, other = Registry(tmp_path / "ours"), Registry(tmp_path / "other")
    publish_sound(ours)
    publish_sound(ours, 1, 0.75)
    Aliases(ours).promote(MODEL, 2)
    with _server(python, tmp_path) as uri:
        monkeypatch.setenv("MILLRACE_REGISTRY", ours.store.address)
        assert main(["registry", "export-mlflow", MODEL, "--uri", uri, "--json"]) == 0
        assert json.loads(capsys.readouterr().out)["aliases"] == {"champion": 2}
        assert main(["registry", "export-mlflow", MODEL, "--uri", uri, "--json"]) == 0
        assert not any(each["is_new"] for each in json.loads(capsys.readouterr().out)["versions"])
        monkeypatch.setenv("MILLRACE_REGISTRY", other.store.address)
        assert main(["registry", "import-mlflow", MODEL, "1", "--uri", uri]) == 0
        assert main(["registry", "import-mlflow", MODEL, "champion", "--uri", uri, "--alias", "champion"]) == 0
        assert verify_all(other)[1] == []
        assert Aliases(other).of(MODEL) == {"champion": 2}
        for version in (1, 2):
            here, there = (Path(each.where(MODEL, version)) / "manifest.json" for each in (ours, other))
            assert here.read_bytes() == there.read_bytes()
        graph = ours.read(MODEL, 2, "model.onnx")
        rows = np.random.default_rng(0).normal(size=(50, 2)).astype(np.float32)
        np.save(tmp_path / "rows.npy", rows)
        files = [str(tmp_path / "rows.npy"), str(tmp_path / "scores.npy")]
        subprocess.run([python, "-c", LOAD, uri, *files], check=True, timeout=300, env=_quiet())
        assert np.array_equal(np.load(tmp_path / "scores.npy"), run_session(open_session(graph), rows))


def _environment(directory: Path) -> Path:
    """The interpreter of an environment with all of MLflow; skips the test where it cannot be installed."""
    version = importlib.metadata.version("mlflow-skinny")
    python = directory / "bin" / "python"
    wanted = [f"mlflow=={version}", "onnx", "onnxruntime"]
    for command in (["venv", "--python", sys.executable, str(directory)],
                    ["pip", "install", "--python", str(python), *wanted]):  # fmt: skip
        done = subprocess.run(["uv", *command], capture_output=True, text=True, timeout=600, check=False)
        if done.returncode:
            NOT_TESTED.append(f"a server of MLflow: {done.stderr.strip()[-200:]}")
            pytest.skip(NOT_TESTED[-1])
    return python


@contextmanager
def _server(python: Path, folder: Path) -> Iterator[str]:
    port = free_port()
    command = [
        str(python.with_name("mlflow")), "server", "--host", "127.0.0.1", "--port", str(port), "--workers", "1",
        "--backend-store-uri", f"sqlite:///{folder / 'mlflow.db'}", "--artifacts-destination",
        str(folder / "artifacts"),
    ]  # fmt: skip
    with (folder / "server.log").open("w") as log:
        server = subprocess.Popen(command, stdout=log, stderr=log, env=_quiet(), cwd=folder, start_new_session=True)
        try:
            _wait(f"http://127.0.0.1:{port}/health", server)
            yield f"http://127.0.0.1:{port}"
        finally:
            os.killpg(server.pid, 9)
            server.wait()


def _wait(health: str, server: subprocess.Popen[bytes]) -> None:
    for _ in range(600):
        assert server.poll() is None, "the server ended"
        try:
            with urlopen(health, timeout=5) as answer:
                assert answer.status == 200
                return
        except OSError:
            time.sleep(0.5)
    raise AssertionError("the server does not answer")


def _quiet() -> dict[str, str]:
    """Nothing is told to its makers, and it starts no processes for jobs. Its own libraries are found first."""
    own = {"MLFLOW_DISABLE_TELEMETRY": "true", "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"}
    kept = {
        name: each for name, each in os.environ.items() if not name.startswith(("PYTHON", "VIRTUAL_ENV", "MILLRACE_"))
    }
    return {**kept, **own}
