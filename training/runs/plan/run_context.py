"""What a run hands to each of its steps, and how that is written down, so that another process can continue."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import msgspec

from shared_features.definitions import load_definitions
from training.definitions.model import Model
from training.errors import TrainingError
from training.runs.plan.data_version import DataVersion
from training.runs.plan.run_model import defined_models
from training.runs.plan.run_parameters import RunParameters
from training.runs.plan.run_pipeline import steps_of_run
from training.settings import TrainingSettings
from training.steps.code_digest import code_of
from training.steps.libraries import library_versions
from training.steps.run_journal import Journal
from training.steps.step import Step


@dataclass(frozen=True)
class RunContext:
    """began_at_us: when the run began, which is when its model version was made."""

    settings: TrainingSettings
    parameters: RunParameters
    data: DataVersion
    began_at_us: int

    @property
    def steps(self) -> tuple[Step, ...]:
        """Those of the run, in their order."""
        return steps_of_run(self.settings.definitions, self.parameters)

    @property
    def facts(self) -> dict[str, Any]:
        """The parameters of the steps, as plain data, under the names that steps declare."""
        plain = self.parameters.plain
        view = {"label": self.parameters.view.label, "fingerprint": self.parameters.view.fingerprint}
        stopping = self.parameters.early_stopping
        data: Any = msgspec.to_builtins(self.data)
        also = {
            "seed": self.parameters.seed,
            "view": view,
            "data": data,
            "models": [self._candidate(name) for name in self.parameters.models],
            "metrics": self.parameters.metrics,
            "named_ks": self.parameters.named_ks,
            "threshold": self.parameters.threshold,
            "slices": self.parameters.slices,
            "fitting": self.parameters.fitting.plain,
            "encoders": {name: repr(each) for name, each in self.parameters.encoders.items()},
            "searched_by": self.parameters.searched_by if self.parameters.search else None,
            "search": {name: repr(each) for name, each in self.parameters.search.items()},
            "expectations": [repr(each) for each in self.parameters.expectations],
            "early_stopping": None if stopping is None else asdict(stopping),
        }
        found: dict[str, Any] = json.loads(json.dumps({**plain, **also}))
        return found

    def _candidate(self, name: str) -> Any:
        """A candidate as a key counts it: of a user's function also its code, with everything that it reaches."""
        build = self.parameters.builds.get(name)
        if build is None:
            return name
        code = code_of([f"{build.__module__}:{build.__qualname__}"])
        return {"name": name, "code": code.digest, "libraries": library_versions(code.libraries)}

    def begin(self) -> Journal:
        """A journal of a run that has just begun."""
        facts = self.facts
        asked = {**self.parameters.plain, "view": facts["view"]}
        return Journal(asked, facts["data"], self.began_at_us, {})


def context_of(settings: TrainingSettings, journal: Journal) -> RunContext:
    """The context of a run that has begun. Raises TrainingError where the view is another one by now."""
    asked = dict(journal.asked)
    wanted = asked.pop("view")
    views = load_definitions(settings.definitions).views
    view = next((each for each in views if each.label == wanted["label"]), None)
    if view is None or view.fingerprint != wanted["fingerprint"]:
        raise TrainingError(
            f"view {wanted['label']} changed since the run began, so the run cannot continue. Start a new run."
        )
    parameters = RunParameters.from_plain(view, asked, _model_of(settings, asked))
    return RunContext(settings, parameters, msgspec.convert(journal.data, DataVersion), journal.began_at_us)


def _model_of(settings: TrainingSettings, asked: Mapping[str, Any]) -> Model | None:
    if "model" not in asked:
        return None
    found = [each for each in defined_models(settings) if each.name == asked["model"]]
    if not found:
        raise TrainingError(
            f"model {asked['model']!r} is gone since the run began, so the run cannot continue. Start a new run."
        )
    return found[0]
