"""The kernel is compiled for every group, whatever events it takes."""

import pytest

from deploy.local import compile_kernel
from shared_features.definitions import load_definitions


@pytest.mark.parametrize("definitions", ["tests.domains.machines", "tests.domains.sensors", "tests.domains.tills"])
def test_groups_of_other_domains_compile(definitions, monkeypatch):
    """A group that takes only hot readings found none among the generated ones, and the program ended."""
    monkeypatch.setenv("MILLRACE_DEFINITIONS", definitions)
    exercised = []
    real = compile_kernel._exercise

    def exercise(group, batch):
        exercised.append(group.label)
        real(group, batch)

    monkeypatch.setattr(compile_kernel, "_exercise", exercise)
    assert compile_kernel.main() == 0
    assert set(exercised) == {group.label for group in load_definitions(definitions).groups}
