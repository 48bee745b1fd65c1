"""What an edit of the definitions means for a stack is said before anything starts."""

import msgspec
import pytest

from deploy.local.commands.edits import say_edits, say_edits_of_running
from deploy.local.commands.options import parse_options
from deploy.local.commands.up import bring_up
from deploy.local.errors import LocalError
from deploy.local.stack.interruption import Interruption
from deploy.local.stack.stack_directory import Remembered, StackDirectory
from deploy.local.stack.standing import Standing
from shared_features.definitions import load_definitions
from streaming.operations.check.kept_definitions import KeptDefinitions

PROBES, GROWN, CHANGED = (load_definitions(f"tests.domains.probes{name}") for name in ("", "_grown", "_changed"))


@pytest.fixture
def stack(tmp_path):
    found = StackDirectory(tmp_path / "stack")
    found.create()
    return found


REMEMBERED = Remembered(definitions="lab.probes", kafka="simulator", redis="embedded", namespace="n", log="l")


def test_up_says_what_it_does_about_an_edit(stack, capsys):
    say_edits(stack, REMEMBERED, PROBES, aloud=True)
    assert capsys.readouterr().out == "", "the first `up` has nothing to compare"
    stack.keep_definitions(KeptDefinitions.of(PROBES))
    say_edits(stack, REMEMBERED, GROWN, aloud=True)
    assert capsys.readouterr().out.startswith(
        "lab.probes was edited since the last `up`:\n  group probe_level:v1+1 joins"
    )


def test_a_running_stack_that_was_edited_is_told_what_the_next_up_does(stack, capsys, monkeypatch):
    stack.show(Standing("ready", 0))
    stack.keep_definitions(KeptDefinitions.of(PROBES))
    monkeypatch.setattr("deploy.local.commands.edits.load_definitions", lambda name: CHANGED)
    assert not say_edits_of_running(stack, REMEMBERED)
    said = capsys.readouterr().out
    assert "lab.probes was edited since; the stack continues as it started. The next `down` and `up`:" in said
    assert "  ! refused: group probe_level:v1 means something else" in said
    monkeypatch.setattr("deploy.local.commands.edits.load_definitions", lambda name: PROBES)
    assert say_edits_of_running(stack, REMEMBERED)
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize(("edited", "code"), [(PROBES, 0), (GROWN, 0), (CHANGED, 1)])
def test_up_beside_a_running_stack_ends_with_1_where_it_refuses_the_edit(stack, monkeypatch, edited, code):
    """It printed `refused` and ended with 0."""
    stack.remember(REMEMBERED)
    stack.show(Standing("ready", 0))
    stack.keep_definitions(KeptDefinitions.of(PROBES))
    monkeypatch.setattr("deploy.local.commands.edits.load_definitions", lambda name: edited)
    monkeypatch.setattr("deploy.local.commands.up.show_status", lambda directory, as_json: 0)
    options = parse_options(["up", f"--directory={stack.path}"])
    with stack.locked():
        assert bring_up(options, Interruption()) == code


def test_a_module_that_cannot_be_loaded_any_more_leaves_the_stack_as_it_is(stack, capsys):
    stack.show(Standing("ready", 0))
    assert not say_edits_of_running(stack, msgspec.structs.replace(REMEMBERED, definitions="tests.domains.nowhere"))
    said = capsys.readouterr().out
    assert "was edited since, and cannot be loaded now: definitions module 'tests.domains.nowhere'" in said
    assert "The stack continues as it started." in said


def test_up_refuses_an_edit_that_the_data_do_not_fit(stack):
    stack.keep_definitions(KeptDefinitions.of(PROBES))
    with pytest.raises(
        LocalError, match=r"do not fit:\n  group probe_level:v1 means(.|\n)*Or undo the edit, or give another"
    ):
        say_edits(stack, REMEMBERED, CHANGED, aloud=False)
