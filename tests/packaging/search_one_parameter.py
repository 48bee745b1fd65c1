"""Run in a fresh environment, by its path: a parameter is searched for."""

from __future__ import annotations

from training.models.search.hyper_parameters import search

if __name__ == "__main__":
    found = search(
        lambda trial: {"rate": trial.suggest_float("rate", 0.0, 1.0)},
        lambda values: [1 - (values["rate"] - 0.3) ** 2],
        "roc_auc",
        seed=1,
        trials=4,
        seconds=None,
    )
    print(found.describe())
