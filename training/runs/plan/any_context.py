"""The context of a run that has begun, of whatever template: what its journal says."""

from __future__ import annotations

from training.runs.plan.batch_score import BATCH_SCORE
from training.runs.plan.run_context import RunContext, context_of
from training.runs.plan.scoring_context import ScoringContext, scoring_context_of
from training.settings import TrainingSettings
from training.steps.run_journal import Journal


def any_context(settings: TrainingSettings, journal: Journal) -> RunContext | ScoringContext:
    """Raises TrainingError where the definitions do not have what the run began with."""
    return (scoring_context_of if journal.template == BATCH_SCORE else context_of)(settings, journal)
