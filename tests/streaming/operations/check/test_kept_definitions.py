"""What an edit of the definitions means for the stored data is said before anything starts."""

from dataclasses import replace

import msgspec

from shared_features import Integer
from shared_features.definitions import Catalogue, load_definitions
from streaming.__main__ import main
from streaming.operations.check.kept_definitions import KeptDefinitions

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


def checked(kept, module, *options):
    return main(["check", "--definitions-only", f"--definitions={module}", f"--kept-definitions={kept}", *options])


def test_check_refuses_what_up_refuses_with_the_same_sentence(tmp_path, capsys):
    """It said `no fault in the definitions`, and the next `up` refused them."""
    kept = tmp_path / "definitions.json"
    kept.write_bytes(msgspec.json.encode(KeptDefinitions.of(PROBES)))
    assert checked(kept, "tests.domains.probes_changed") == 1
    said = capsys.readouterr()
    (sentence,) = KeptDefinitions.of(PROBES).changes(CHANGED).refused
    assert f"refused  the data in {tmp_path}: {sentence}\n" in said.err
    assert "1 to correct before it is safe to run" in said.out
    assert checked(kept, "tests.domains.probes_grown") == 0
    assert "no fault in the definitions" in capsys.readouterr().out


def test_a_stack_that_keeps_none_yet_and_a_file_of_another_release_are_not_compared(tmp_path):
    kept = tmp_path / "definitions.json"
    assert checked(kept, "tests.domains.probes_changed") == 0
    kept.write_text('{"groups": 1}')
    assert checked(kept, "tests.domains.probes_changed") == 0
