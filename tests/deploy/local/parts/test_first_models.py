"""A first model is trained once, when what streams in has settled, and its refusals are said."""

import time
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType, SimpleNamespace

import pytest

from deploy.local.parts.first_models import FirstModels
from shared_features.definitions import load_definitions
from shared_features.formats.model_manifest import ALIASES, CHAMPION
from tests.shared_features.formats.test_dataset_manifest import DATASET
from tests.shared_features.formats.test_model_manifest import MANIFEST
from training.errors import RequestError
from training.progress import StepProgress
from training.registry.aliases import Aliases
from training.registry.gate.verdicts import keep_verdict
from training.registry.registry_log import BY_RUN
from training.registry.versions import Registry
from training.runs.plan.run_model import choose_model
from training.settings import load_settings
from training.steps.run_journal import Journal, write_journal

CATALOGUE = load_definitions("tests.domains.machines")


class World:
    """counts: what the lake holds; unrest: why the stream is not at rest; runs: the runs that were started."""

    def __init__(self, folder, monkeypatch, named=MappingProxyType({})):
        self.counts, self.now_s, self.runs, self.unrest = (0, 0), 0.0, [], None
        self.registry, self._log = folder / "registry", folder / "training.log"
        self.models = FirstModels(
            CATALOGUE, folder / "lake", self.registry, folder / "runs", self._start, lambda: self.unrest, named
        )
        monkeypatch.setattr(self.models, "_count", lambda view: self.counts)
        monkeypatch.setattr(time, "monotonic", lambda: self.now_s)

    def _start(self, arguments):
        self.runs.append(SimpleNamespace(arguments=arguments, exit_code=None, log=self._log))
        return self.runs[-1]

    def end(self, exit_code, said):
        self._log.write_text(said)
        self.runs[-1].exit_code = exit_code

    def look(self, *counts, after_s=12.0):
        self.counts, self.now_s = counts, self.now_s + after_s
        return self.models.step()


@pytest.fixture
def world(tmp_path, monkeypatch):
    return World(tmp_path, monkeypatch)


def test_it_says_what_it_waits_for(world):
    assert world.look(0, 0) == "breakdown: waiting for events of readings"
    assert world.look(1_000, 0) == "breakdown: waiting for labels, events of breakdowns (1,000 feature rows so far)"
    assert world.runs == []


def test_history_that_still_streams_in_is_not_trained_on(world):
    """A model of its first days would be the champion from then on."""
    assert "has settled (1,000 feature rows, 500 label events)" in world.look(1_000, 500)
    assert "has settled" in world.look(2_000, 1_000)
    assert world.runs == []
    assert world.look(2_010, 1_005) == "training the first model of breakdown"
    assert [run.arguments for run in world.runs] == [["run", "--view", "breakdown"]]
    assert world.look(2_010, 1_005) == "training the first model of breakdown"
    assert len(world.runs) == 1


def test_it_says_which_step_the_training_does_and_how_far_it_is(world, tmp_path, monkeypatch):
    """Minutes of "training the first model" look like a program that hangs."""
    world.look(1_000, 500)
    world.look(1_000, 500)
    run = tmp_path / "runs" / "breakdown" / "20261129T100000"
    run.mkdir(parents=True)
    write_journal(run, Journal({}, {}, 0, {}, number=1))
    now_ns = time.time_ns()
    monkeypatch.setattr(time, "time_ns", lambda: now_ns)
    progress = StepProgress(run, "fit")
    progress("fitting random_forest on 1,000 rows", 2, 3)
    monkeypatch.setattr(time, "time_ns", lambda: now_ns + 44 * 10**9)
    assert world.look(1_000, 500) == (
        "training the first model of breakdown, step fit: fitting random_forest on 1,000 rows (2 of 3), 40 s"
    )


def test_a_producer_that_stalls_between_blocks_is_waited_for(world):
    """The counts rest meanwhile: a model was trained on a third of a file that was still being sent."""
    world.unrest = "`produce` is still sending"
    for _ in range(3):
        said = world.look(1_000, 500)
    assert said.endswith("has settled (1,000 feature rows, 500 label events): `produce` is still sending")
    assert world.runs == []
    world.unrest = None
    assert "has settled" in world.look(1_000, 500, after_s=5.0), "rows may follow what was stored last"
    assert world.look(1_000, 500) == "training the first model of breakdown"


def test_a_refusal_is_said_and_tried_again_when_there_is_more(world):
    for _ in range(2):
        world.look(100, 50)
    world.end(1, "dataset 1 s\ntraining: too few labels; stream more history\n")
    assert world.look(100, 50) == "breakdown: not yet: too few labels; stream more history"
    world.look(101, 50)
    assert len(world.runs) == 1
    for _ in range(2):
        world.look(200, 50)
    assert len(world.runs) == 2


def test_a_little_more_is_tried_after_a_while(world):
    for _ in range(2):
        world.look(100, 50)
    world.end(1, "training: too few labels\n")
    world.look(101, 50)
    assert len(world.runs) == 1
    world.look(101, 50, after_s=400.0)
    assert len(world.runs) == 2


def test_a_view_with_a_model_that_answers_is_left_alone(world):
    aliases = world.registry / "breakdown" / ALIASES
    aliases.mkdir(parents=True)
    (aliases / CHAMPION).write_text("1\n")
    for _ in range(3):
        assert world.look(1_000, 500) is None
    assert world.runs == []


def publish(registry, model, view, promote=True, why="from the ONNX file breaks.onnx"):
    stamp = replace(MANIFEST.view, name=view, version=1)
    published = registry.publish(replace(MANIFEST, model=model, view=stamp), b"graph", {}, DATASET, why)
    if promote:
        Aliases(registry).promote(model, published.version)
    return published.version


def test_a_model_of_another_name_that_was_said_to_answer_is_left_alone(tmp_path):
    """It was trained once more at each `up`."""
    registry = Registry(tmp_path / "registry")
    publish(registry, "breaks", "breakdown")
    named = {"breakdown": "breaks"}
    models = FirstModels(CATALOGUE, tmp_path, tmp_path / "registry", tmp_path, never, lambda: None, named)
    assert models.step() is None
    assert models.settled() == "every view with labels has a model that answers"


BREAKS = {"breakdown": "breaks"}


def test_the_model_that_answers_is_trained_by_its_own_name(tmp_path, monkeypatch):
    """The view's own model was trained, which answers for nothing."""
    world = World(tmp_path, monkeypatch, BREAKS)
    for _ in range(2):
        world.look(1_000, 500)
    assert [run.arguments for run in world.runs] == [["run", "--view", "breakdown", "--model", "breaks"]]
    publish(Registry(world.registry), "breaks", "breakdown", promote=False)
    world.end(0, "promote 1 s\n")
    assert "breaks was published, and the gate did not let it answer" in world.look(1_000, 500)


def test_where_the_model_that_answers_is_not_defined_it_says_what_to_do(tmp_path, monkeypatch):
    world = World(tmp_path, monkeypatch, BREAKS)
    for _ in range(2):
        world.look(1_000, 500)
    monkeypatch.setenv("MILLRACE_DEFINITIONS", "tests.domains.machines")
    with pytest.raises(RequestError) as refused:
        choose_model(load_settings(), "breaks", "breakdown")
    world.end(1, f"training: {refused.value}\n")
    told = world.look(1_000, 500)
    assert told.startswith("breakdown: not yet: There is no model 'breaks'. There are: none.")
    assert "MILLRACE_ANSWERING_MODELS says that breaks answers for breakdown" in told
    assert "Define it, as in Model('breaks', view='breakdown'), and publish it with `millrace publish` if it is" in told


def test_a_named_model_that_was_published_and_does_not_answer_is_not_trained_over(tmp_path, monkeypatch):
    """It may be of an ONNX file: a run of the same name would put a model of another kind among its versions."""
    world = World(tmp_path, monkeypatch, BREAKS)
    publish(Registry(world.registry), "breaks", "breakdown", promote=False)
    for _ in range(3):
        told = world.look(1_000, 500)
    assert world.runs == []
    assert told == (
        "breakdown: no run has trained breaks, whose version 1 was published (from the ONNX file breaks.onnx). "
        "`millrace promote 1 --model breaks` lets it answer"
    )


def test_a_named_model_that_a_run_left_before_the_gate_was_asked_is_trained(tmp_path, monkeypatch):
    """A run that was killed after `publish` left the view without a model for good, and the gate was blamed for it."""
    world = World(tmp_path, monkeypatch, BREAKS)
    registry = Registry(world.registry)
    version = publish(registry, "breaks", "breakdown", promote=False, why=f"{BY_RUN} 20261129T100000")
    for _ in range(2):
        world.look(1_000, 500)
    assert [run.arguments for run in world.runs] == [["run", "--view", "breakdown", "--model", "breaks"]]

    asked = {"model": "breaks", "version": version, "champion_before": None, "promoted": False, "checks": []}
    keep_verdict(registry, {**asked, "reasons": ["roc_auc 0.4 is below its floor 0.5"]}, "training run K")
    again = World(tmp_path, monkeypatch, BREAKS)
    for _ in range(3):
        told = again.look(1_000, 500)
    assert again.runs == []
    assert "the gate decided of breaks version 1: stays a challenger: roc_auc 0.4 is below its floor 0.5. See" in told


@pytest.mark.parametrize(
    ("model", "promote", "said"),
    [
        ("breaks", True, """set MILLRACE_ANSWERING_MODELS='{"breakdown": "breaks"}' and start it again"""),
        ("breakdown", False, "the gate did not let it answer. See `millrace registry log breakdown`"),
    ],
)
def test_a_run_that_left_no_model_that_answers_says_what_to_do(world, model, promote, said):
    """A row of the gate's table was said, of which nobody could know what is to be done."""
    for _ in range(2):
        world.look(1_000, 500)
    publish(Registry(world.registry), model, "breakdown", promote)
    world.end(0, "promote 1 s  version 1 is champion\n== the gate\nas the champion's  there is no champion yet  pass\n")
    told = world.look(1_000, 500)
    assert told.startswith(f"breakdown: {model} was published, and")
    assert said in told


def never(arguments):
    raise AssertionError(f"nothing is to be trained: {arguments}")


def test_a_newer_version_of_a_view_that_has_no_model_is_named(tmp_path):
    """`every view with labels has a model that answers` was said of a v2 that had none."""
    registry = Registry(tmp_path / "registry")
    (view,) = [each for each in CATALOGUE.views if each.name == "breakdown"]
    stamp = replace(MANIFEST.view, name=view.name, version=view.version)
    published = registry.publish(replace(MANIFEST, model=view.name, view=stamp), b"graph", {}, DATASET)
    Aliases(registry).promote(view.name, published.version)
    newer = replace(CATALOGUE, views=(replace(view, version=view.version + 1),))
    said = [
        FirstModels(each, tmp_path, Path(registry.store.address), tmp_path, never, lambda: None).settled()
        for each in (replace(CATALOGUE, views=(view,)), newer)
    ]
    assert said == [
        "every view with labels has a model that answers",
        "breakdown:v2 has no model yet, and one of v1 answers: `millrace train --view breakdown`",
    ]
