"""A plain function that breaks its contract is told so, with the name of its step."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from training.errors import StepError
from training.steps.plain_call import argument_parts, call_step
from training.steps.step import Step, Task
from training.steps.transient import is_transient

_HERE = "tests.training.steps.test_plain_call"


def says(inputs: Path, output: Path, text: str) -> str:
    (output / "said.txt").write_text(text)
    return text


def raises(inputs: Path, output: Path) -> str:
    raise ValueError("too few rows")


def loses_its_connection(inputs: Path, output: Path) -> str:
    raise ConnectionResetError("gone")


def returns_nothing(inputs: Path, output: Path) -> None:
    (output / "said.txt").write_text("")


def call(function: Callable[..., object], place: Path, **arguments: object) -> str:
    step = Step("mine", f"{_HERE}:{function.__name__}", arguments=arguments, outputs=("said.txt", "more.txt"))
    return call_step(step, Task(place, place, None))


@pytest.mark.parametrize(
    ("function", "said"),
    [
        (raises, r"step 'mine' raised ValueError: too few rows \(line \d+ of test_plain_call.py\). Finished steps are"),
        (returns_nothing, r"step 'mine' returned None. Let .*:returns_nothing return one line"),
    ],
)
def test_a_function_that_fails_names_its_step(tmp_path: Path, function: Callable[..., object], said: str) -> None:
    with pytest.raises(StepError, match=said) as failed:
        call(function, tmp_path)
    assert not is_transient(failed.value)


def test_a_lost_connection_may_pass(tmp_path: Path) -> None:
    with pytest.raises(StepError, match="raised ConnectionResetError: gone") as failed:
        call(loses_its_connection, tmp_path)
    assert is_transient(failed.value)


def test_an_output_that_is_not_written_fails_the_step(tmp_path: Path) -> None:
    with pytest.raises(StepError, match=r"'mine' did not write more.txt, .* It wrote said.txt."):
        call(says, tmp_path, text="hello")
    (tmp_path / "more.txt").touch()
    assert call(says, tmp_path, text=" hello ") == "hello"


def test_a_file_counts_by_its_name_and_its_content(tmp_path: Path) -> None:
    file, same = tmp_path / "a.csv", tmp_path / "folder" / "a.csv"
    same.parent.mkdir()
    for each in (file, same):
        each.write_text("1")
    first, second = (argument_parts(Step("mine", "m:f", arguments={"path": each})) for each in (file, same))
    assert first == second
    file.write_text("2")
    assert argument_parts(Step("mine", "m:f", arguments={"path": file})) != first
    file.unlink()
    with pytest.raises(StepError, match="step 'mine' cannot read its file"):
        argument_parts(Step("mine", "m:f", arguments={"path": file}))
