"""A fork is on the data of another run: a parameter that an earlier step has used cannot be another one."""

from dataclasses import fields
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from training.errors import RequestError
from training.runs.plan.fork import FIRST_USE, check_fork
from training.runs.plan.run_parameters import RunParameters
from training.runs.plan.step_names import STEP_NAMES
from training.runs.plan.templates import Retrain

BEFORE = Retrain()
OTHER: dict[str, Any] = {
    "view": "v",
    "model": "m",
    "pipeline": "p",
    "entity": "e",
    "seed": 1,
    "models": ("random_forest",),
    "top": 7,
    "floor": {"roc_auc": 0.6},
    "gate_tolerance": 0.5,
    **dict.fromkeys(("train_days", "delay_days", "test_days"), 3.0),
    **dict.fromkeys(("cutoff", "train_from", "train_to", "test_from", "test_to"), datetime(2026, 1, 1, tzinfo=UTC)),
}


def refused(step: str, before: Retrain, after: Retrain, names: tuple[str, ...] = STEP_NAMES) -> str | None:
    """The path of the parameter that is refused."""
    try:
        check_fork(step, before, after, names)
    except RequestError as error:
        return error.path
    return None


def test_every_parameter_of_a_run_has_a_step_that_uses_it_first() -> None:
    """One that is forgotten is let through by a fork, and the earlier steps run again on other rows."""
    assert FIRST_USE.keys() | {"steps"} == set(Retrain.__struct_fields__) == OTHER.keys() | {"steps"}
    assert {each.name for each in fields(RunParameters)} >= {"models", "k", "floors", "gate_tolerance"}


@pytest.mark.parametrize("name", OTHER)
def test_a_parameter_is_refused_behind_its_first_step_and_taken_from_it_on(name: str) -> None:
    after = msgspec.structs.replace(BEFORE, **{name: OTHER[name]})
    found = {step: refused(step, BEFORE, after) for step in STEP_NAMES}
    first = STEP_NAMES.index(FIRST_USE[name])
    wanted = [None if at <= first else f"$.parameters.{name}" for at in range(len(STEP_NAMES))]
    assert list(found.values()) == wanted
    assert {step: refused(step, after, after) for step in STEP_NAMES} == dict.fromkeys(STEP_NAMES)


def test_parameters_of_a_step_of_ones_own_are_refused_behind_that_step() -> None:
    names = ("dataset", "own", "fit")
    before = Retrain(steps={"own": {"least": 1}})
    for after in (Retrain(steps={"own": {"least": 2}}), Retrain(), Retrain(steps={"own": {"least": 1, "most": 2}})):
        assert refused("fit", before, after, names) == "$.parameters.steps.own"
        assert refused("own", before, after, names) is None
        assert refused("dataset", before, after, names) is None
    assert refused("fit", before, Retrain(steps={"own": {"least": 1}, "fit": {"n": 3}}), names) is None


def test_a_floor_of_entity_precision_that_was_not_measured_is_refused_behind_the_step_that_measures() -> None:
    before = Retrain(floor={"precision_at_20_per_day": 0.1})
    for after in (Retrain(floor={"precision_at_50_per_day": 0.1}), Retrain()):
        assert refused("promote", before, after) == "$.parameters.floor"
        assert refused("evaluate", before, after) is None
    assert refused("promote", before, Retrain(floor={"precision_at_20_per_day": 0.3})) is None


def test_a_step_that_does_not_exist_is_named_with_the_nearest() -> None:
    with pytest.raises(RequestError, match=r"no step 'fitt'\. There are: dataset, .*Did you mean 'fit'\?"):
        check_fork("fitt", BEFORE, BEFORE, STEP_NAMES)
