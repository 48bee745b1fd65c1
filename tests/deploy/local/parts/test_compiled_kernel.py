"""A second `up` compiles nothing, unless something changed or the cache has gone."""

import pytest

from deploy.local.parts.compiled_kernel import CompiledKernel
from deploy.local.stack.stack_directory import StackDirectory
from shared_features.definitions import load_definitions

MACHINES, TILLS = (load_definitions(f"tests.domains.{name}") for name in ("machines", "tills"))


@pytest.fixture
def directory(tmp_path, monkeypatch):
    cache = tmp_path / "cache"
    cache.mkdir()
    (cache / "loop.nbi").touch()
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(cache))
    found = StackDirectory(tmp_path / "stack")
    found.create()
    return found


def test_it_is_known_from_when_it_was_noted(directory):
    kernel = CompiledKernel(directory, MACHINES)
    assert not kernel.is_there()
    kernel.note()
    assert CompiledKernel(directory, MACHINES).is_there()


def test_other_groups_are_compiled(directory):
    CompiledKernel(directory, MACHINES).note()
    assert not CompiledKernel(directory, TILLS).is_there()


def test_another_kernel_is_compiled(directory, tmp_path, monkeypatch):
    CompiledKernel(directory, MACHINES).note()
    (tmp_path / "shared_features").mkdir()
    (tmp_path / "shared_features" / "new.py").write_text("x = 1\n")
    monkeypatch.setattr("deploy.local.parts.compiled_kernel.ROOT", tmp_path)
    assert not CompiledKernel(directory, MACHINES).is_there()


def test_a_cache_that_is_gone_is_filled_again(directory, tmp_path):
    CompiledKernel(directory, MACHINES).note()
    (tmp_path / "cache" / "loop.nbi").unlink()
    assert not CompiledKernel(directory, MACHINES).is_there()
