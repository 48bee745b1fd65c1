"""`python -m training gap`: the as-served gap of a view, and what training on either truth does."""

from __future__ import annotations

import argparse
from dataclasses import fields, replace

from shared_features.formats.dataset_manifest import DatasetParameters
from shared_features.kernel.event_time import to_us
from training.datasets.offline_store import OfflineStore
from training.datasets.pinned_view import pin_view
from training.errors import TrainingError
from training.progress import Tell, untold
from training.proofs.gap.gap_report import GapReport
from training.proofs.gap.measure_gap import measure_gap
from training.proofs.gap.served_stages import Delays
from training.proofs.gap.training_effect import training_effect
from training.runs.plan.run_parameters import RunParameters
from training.settings import TrainingSettings


def check_options(options: argparse.Namespace) -> None:
    """Without --fit there is no dataset. Raises TrainingError for an option that says which rows it has."""
    names = [each.name.removesuffix("_us") for each in fields(DatasetParameters) if each.name != "seed"]
    said = [f"--{name.replace('_', '-')}" for name in names if getattr(options, name) is not None]
    if said and not options.fit:
        raise TrainingError(
            f"The gap is measured over all rows of the view. It takes no {', '.join(said)} without --fit. Add --fit, "
            "or leave those options out."
        )


def report_gap(
    settings: TrainingSettings,
    parameters: RunParameters,
    lag_us: int,
    standstills: tuple[tuple[int, int], ...],
    rows: int,
    fit: bool = False,
    tell: Tell = untold,
) -> GapReport:
    """Over the view as it is stored now. fit: also fit a candidate on each truth."""
    store, lateness_us = OfflineStore(settings.lake), to_us(settings.allowed_lateness)
    pinned = pin_view(store, parameters.view, lateness_us)
    delays = Delays(lateness_us, lag_us, standstills)
    report = measure_gap(pinned, store, delays, rows, parameters.seed, tell)
    if not fit:
        return report
    return replace(report, effect=training_effect(pinned, store, parameters.dataset, parameters.k, tell))
