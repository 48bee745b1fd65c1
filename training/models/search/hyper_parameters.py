"""A search by Optuna: its sampler proposes values, each trial is scored on time folds of the train window.

Akiba et al., *Optuna: A Next-generation Hyperparameter Optimization Framework* (KDD 2019). Its sampler is that of
Bergstra et al., *Algorithms for Hyper-Parameter Optimization* (NeurIPS 2011).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from shared_features.counted import counted
from training.errors import TrainingError
from training.models.task_rules import better, more_is_better
from training.progress import Tell, untold

Score = Callable[[Mapping[str, Any]], Sequence[float]]
"""Values by name -> the metric on each fold."""
Propose = Callable[[Any], dict[str, Any]]
"""A trial of Optuna -> values by name."""


class Trial(msgspec.Struct, frozen=True):
    """values: by name. folds: the metric on each. score: their mean; None where a fold gave no number."""

    number: int
    values: dict[str, Any]
    folds: list[float | None]
    score: float | None


@dataclass(frozen=True)
class Found:
    """All trials in their order, and the first of the best ones."""

    metric: str
    trials: tuple[Trial, ...]
    best: Trial

    def describe(self) -> str:
        values = ", ".join(f"{name}={_shown(value)}" for name, value in self.best.values.items())
        folds = counted(len(self.best.folds), "time fold")
        trials = counted(len(self.trials), "trial")
        score = f"{self.metric} {self.best.score:.4f}"
        return f"{values} is the best of {trials}: {score}, mean of {folds} of the train window"


def search(
    propose: Propose,
    score: Score,
    metric: str,
    seed: int,
    trials: int,
    seconds: float | None,
    tell: Tell = untold,
) -> Found:
    """Equal seeds and trials propose equal values. seconds: after which no further trial begins.

    Raises TrainingError where Optuna is not installed, or no trial gave a number.
    """
    optuna = _optuna()
    kept: list[Trial] = []

    def objective(trial: Any) -> float:
        values = propose(trial)
        tell(f"trying {', '.join(f'{name}={_shown(value)}' for name, value in values.items())}", len(kept) + 1, trials)
        folds = [each if math.isfinite(each) else None for each in score(values)]
        known = None if None in folds else sum(each for each in folds if each is not None) / len(folds)
        kept.append(Trial(trial.number, values, folds, known))
        if known is None:
            raise optuna.TrialPruned
        return known

    direction = "maximize" if more_is_better(metric) else "minimize"
    study = optuna.create_study(direction=direction, sampler=optuna.samplers.TPESampler(seed=seed))
    study.optimize(objective, n_trials=trials, timeout=seconds)
    scored = [each for each in kept if each.score is not None]
    if not scored:
        raise TrainingError(f"No trial of the search has a {metric}. Search in other ranges, or by another metric.")
    best = scored[0]
    for each in scored[1:]:
        if better(metric, each.score or 0.0, best.score or 0.0):
            best = each
    return Found(metric, tuple(kept), best)


def _optuna() -> Any:
    try:
        import optuna
    except ModuleNotFoundError as error:
        raise TrainingError(
            f"Optuna is not installed ({error.name} is missing), so nothing can be searched. Install the extra "
            "`millrace[search]`, or leave `search` out of the model."
        ) from error
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    return optuna


def _shown(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)
