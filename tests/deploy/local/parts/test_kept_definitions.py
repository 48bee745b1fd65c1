"""What an edit of the definitions means for a stack is said before anything starts."""

from dataclasses import replace

import msgspec
import pytest

from deploy.local.commands.edits import say_edits, say_edits_of_running
from deploy.local.errors import LocalError
from deploy.local.parts.kept_definitions import KeptDefinitions
from deploy.local.stack.stack_directory import Remembered, StackDirectory
from deploy.local.stack.standing import Standing
from shared_features import Integer
from shared_features.definitions import Catalogue, load_definitions

PROBES, GROWN, CHANGED = (load_definitions(f"tests.domains.probes{name}") for name in ("", "_grown", "_changed"))


def test_equal_definitions_change_nothing():
    changes = KeptDefinitions.of(PROBES).changes(PROBES)
    assert not changes
    assert changes.taken == changes.refused == ()


def test_what_came_is_built_and_what_is_trained_by_whom_is_said():
    changes = KeptDefinitions.of(PROBES).changes(GROWN)
    assert changes.refused == ()
    assert changes.taken == (
        "group probe_level:v1+1 joins the running group, which continues: it is built from the stored events",
        "group probe_level:v2 is new, beside probe_level:v1: it is built from the stored events",
        "view probe_alarm:v2 is new: the model of the version before answers until `millrace train --view probe_alarm`",
        "view probe_peak:v1 is new: it is trained once its labels are there",
    )


def test_what_went_stays_where_it_is():
    taken = KeptDefinitions.of(GROWN).changes(PROBES).taken
    assert "group probe_level:v2 is gone: its values stay as they are, until `millrace retire probe_level:v2`" in taken
    assert "view probe_peak:v1 is gone: nobody is answered for it; its models stay in the registry" in taken


def test_a_group_that_means_something_else_is_refused_with_what_changed_and_what_to_write():
    """The stream job refused it, at the end of a log, after half a minute of starting."""
    changes = KeptDefinitions.of(PROBES).changes(CHANGED)
    (refused,) = changes.refused
    assert refused.startswith(
        "group probe_level:v1 means something else than its stored values (aggregates: hop of mean"
    )
    assert refused.endswith("Raise its version to 2, and the versions of the views that read it")


def test_a_view_that_changed_says_that_its_models_do_not_fit():
    (view,) = PROBES.views
    fewer = Catalogue((replace(view, features=view.features[1:]),), PROBES.groups, PROBES.sources)
    (said,) = KeptDefinitions.of(PROBES).changes(fewer).taken
    assert said.startswith("view probe_alarm:v1 has changed (features: value was removed): its models do not fit")
    assert "`millrace train --view probe_alarm`; with version 2, the model of now answers until then" in said


def test_a_source_that_came_is_created_and_one_that_means_something_else_is_refused():
    samples = PROBES.source("samples")
    value = next(field for field in samples.fields if field.name == "value")
    fields = tuple(replace(each, type=Integer(0, 9)) if each is value else each for each in samples.fields)
    others = Catalogue((), (), (replace(samples, fields=fields), replace(samples, name="new", topic="lab.new")))
    changes = KeptDefinitions.of(PROBES).changes(others)
    assert changes.refused == (
        "source samples means something else than its stored events (source samples: field value: type Decimal -> "
        "Integer). Give it another name, and raise the versions of the groups and views that read it",
    )
    assert "source new is new: its topic lab.new is created" in changes.taken
    assert "source alarms is gone: nobody reads its topic any more; its events stay" in changes.taken


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
    say_edits_of_running(stack, REMEMBERED)
    said = capsys.readouterr().out
    assert "lab.probes was edited since; the stack continues as it started. The next `down` and `up`:" in said
    assert "  ! refused: group probe_level:v1 means something else" in said
    monkeypatch.setattr("deploy.local.commands.edits.load_definitions", lambda name: PROBES)
    say_edits_of_running(stack, REMEMBERED)
    assert capsys.readouterr().out == ""


def test_a_module_that_cannot_be_loaded_any_more_leaves_the_stack_as_it_is(stack, capsys):
    stack.show(Standing("ready", 0))
    say_edits_of_running(stack, msgspec.structs.replace(REMEMBERED, definitions="tests.domains.nowhere"))
    said = capsys.readouterr().out
    assert "was edited since, and cannot be loaded now: definitions module 'tests.domains.nowhere'" in said
    assert "The stack continues as it started." in said


def test_up_refuses_an_edit_that_the_data_do_not_fit(stack):
    stack.keep_definitions(KeptDefinitions.of(PROBES))
    with pytest.raises(
        LocalError, match=r"do not fit:\n  group probe_level:v1 means(.|\n)*Or undo the edit, or give another"
    ):
        say_edits(stack, REMEMBERED, CHANGED, aloud=False)
