"""What a run hands to each of its steps, and how that is written down, so that another process can continue."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import msgspec

from shared_features.definitions import load_definitions
from training.errors import TrainingError
from training.runs.data_version import DataVersion
from training.runs.run_parameters import RunParameters
from training.settings import TrainingSettings
from training.steps.run_journal import Journal


@dataclass(frozen=True)
class RunContext:
    """began_at_us: when the run began, which is when its model version was made."""

    settings: TrainingSettings
    parameters: RunParameters
    data: DataVersion
    began_at_us: int

    @property
    def facts(self) -> dict[str, Any]:
        """The parameters of the steps, as plain data, under the names that steps declare."""
        plain = self.parameters.plain
        view = {"label": self.parameters.view.label, "fingerprint": self.parameters.view.fingerprint}
        data: Any = msgspec.to_builtins(self.data)
        found: dict[str, Any] = json.loads(
            json.dumps({**plain, "seed": self.parameters.seed, "view": view, "data": data})
        )
        return found

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
    parameters = RunParameters.from_plain(view, asked)
    return RunContext(settings, parameters, msgspec.convert(journal.data, DataVersion), journal.began_at_us)
