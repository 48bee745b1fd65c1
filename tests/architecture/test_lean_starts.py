"""A command starts without the libraries that it does not need: a person waits for it."""

import subprocess
import sys

import pytest

from tests.architecture.source_tree import ROOT

CLIENTS = ("polars", "pyarrow", "redis", "confluent_kafka", "deltalake", "onnxruntime", "sklearn", "fastapi")
LIGHT_IMPORTS = (
    "shared_features.errors",
    "shared_features.definitions.field_types",
    "shared_features.definitions.sources.event_source",
    "shared_features.formats.model_manifest",
    "shared_features.formats.training_run",
    "shared_features.kernel.event_time",
    "streaming.errors",
    "training.errors",
    "serving.errors",
    "deploy.local.errors",
)
COMMANDS = (
    "deploy.command_line --help",
    "deploy.command_line stauts",
    "deploy.local up --help",
    "deploy.local predict --help",
    "deploy.project new --help",
    "streaming --help",
    "streaming version",
    "streaming status --help",
    "training --help",
)


def loaded(code: str) -> set[str]:
    """The top-level packages that a process has loaded at its end."""
    code = f"import atexit, sys\natexit.register(lambda: print('\\nloaded', *sys.modules))\n{code}"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert "Traceback" not in done.stderr, done.stderr
    return {name.partition(".")[0] for name in done.stdout.splitlines()[-1].split()[1:]}


@pytest.mark.parametrize("module", LIGHT_IMPORTS)
def test_errors_times_formats_and_field_types_come_without_numba(module: str) -> None:
    assert not loaded(f"import {module}") & {"numba", "llvmlite", *CLIENTS}


def test_errors_come_with_the_standard_library_alone() -> None:
    assert not loaded("import shared_features.errors") & {"numba", "numpy", "msgspec", *CLIENTS}


def test_a_scheduler_at_rest_holds_nothing_that_computes() -> None:
    assert not loaded("import training.service.commands") & {"numba", "llvmlite", "polars", "pyarrow", "sklearn"}


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_that_computes_nothing_loads_neither_numba_nor_a_client(command: str) -> None:
    module, *arguments = command.split()
    code = (
        f"import runpy\nsys.argv[1:] = {arguments}\nrunpy.run_module({module!r}, run_name='__main__', alter_sys=True)"
    )
    assert not loaded(code) & {"numba", "llvmlite", *CLIENTS}
