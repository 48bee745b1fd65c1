"""What a run of `batch-score` hands to its step: the version that scores and the data, both pinned when it begins."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from shared_features.definitions import FeatureView, load_definitions
from training.errors import TrainingError
from training.runs.plan.batch_score import BATCH_SCORE, BatchScore
from training.runs.plan.data_version import DataVersion
from training.settings import TrainingSettings
from training.steps.run_journal import Journal
from training.steps.step import Step

SCORED_FILE = "scored.json"
_STEPS = (Step("score", "training.runs.actions.score_step:score_step", effect=True, outputs=(SCORED_FILE,)),)


@dataclass(frozen=True)
class ScoringContext:
    """version: of the model. data: the tables of the view's own rows; None: the rows are those of a file."""

    settings: TrainingSettings
    asked: BatchScore
    view: FeatureView
    version: int
    data: DataVersion | None
    began_at_us: int

    @property
    def steps(self) -> tuple[Step, ...]:
        return _STEPS

    @property
    def facts(self) -> Mapping[str, Any]:
        """No step of it has a result that could be found again."""
        return {}

    def begin(self) -> Journal:
        """A journal of a run that has just begun."""
        asked: Any = msgspec.to_builtins(self.asked)
        view = {"label": self.view.label, "fingerprint": self.view.fingerprint}
        data = {} if self.data is None else msgspec.to_builtins(self.data)
        return Journal(
            {**asked, "view": view}, {**data, "version": self.version}, self.began_at_us, {}, template=BATCH_SCORE
        )


def scoring_context_of(settings: TrainingSettings, journal: Journal) -> ScoringContext:
    """The context of a run that has begun. Raises TrainingError where the view is gone by now."""
    asked, data = dict(journal.asked), dict(journal.data)
    label, version = asked.pop("view")["label"], data.pop("version")
    view = next((each for each in load_definitions(settings.definitions).views if each.label == label), None)
    if view is None:
        raise TrainingError(f"view {label} is gone since the run began, so the run cannot continue. Start a new run.")
    pinned = msgspec.convert(data, DataVersion) if data else None
    return ScoringContext(settings, msgspec.convert(asked, BatchScore), view, version, pinned, journal.began_at_us)
