"""`python -m training leak-check`: what the step `leaks` asks, and functions and pipelines of a user's, by hand."""

from __future__ import annotations

import importlib
from pathlib import Path
from types import ModuleType
from typing import Any

import polars as pl

from shared_features.kernel.event_time import DAY_US, to_us
from training.datasets.dataset_builder import build_dataset
from training.datasets.exports.known_labels import join_labels
from training.datasets.given_rows.spine_columns import instants_of
from training.datasets.given_rows.table_rows import TableRows
from training.datasets.given_spine import AS_OF, read_spine_file
from training.datasets.offline_store import OfflineStore
from training.datasets.outcomes.view_labels import complete_labels_us
from training.datasets.pinned_view import EVENT_TIME, PinnedView, pin_view
from training.errors import DatasetError, LeakError
from training.progress import Tell, untold
from training.proofs.leaks.candidate_leaks import candidate_leaks
from training.proofs.leaks.leak import LeakReport
from training.proofs.leaks.leak_check import check_rows
from training.proofs.leaks.outside import import_again
from training.proofs.leaks.own_features import own_leaks, sources_of, units_of
from training.proofs.leaks.sampled_rows import SampledRows, sample_rows
from training.proofs.leaks.step_leaks import step_leaks
from training.proofs.leaks.telling_features import telling_features
from training.runs.plan.run_parameters import RunParameters
from training.runs.plan.run_pipeline import pipeline_of
from training.settings import TrainingSettings

_LABEL = "label"


def check_leaks(
    settings: TrainingSettings,
    parameters: RunParameters,
    rows: int,
    own: str = "",
    spine: Path | None = None,
    tell: Tell = untold,
) -> LeakReport:
    """The gate over a view as it is stored now. own: `module:function` that adds columns to a spine.

    spine: a file with the rows of that function; None: rows of the view with their labels.
    """
    if spine is not None and not own:
        raise DatasetError(
            f"The rows of {spine} belong to a function of yours, and none is named. Name it by --own MODULE:FUNCTION, "
            "or leave --spine out."
        )
    view = parameters.view
    store = OfflineStore(settings.lake)
    pinned = pin_view(store, view, to_us(settings.allowed_lateness))
    sampled = sample_rows(pinned, parameters.seed, rows)
    report, served = check_rows(pinned, store, sampled, parameters.seed, tell)
    report = report.joined(LeakReport(checked={"values read from bytes as they were trained on": served}))
    if own:
        tell(f"trying {own}")
        report = report.joined(_own(own, pinned, store, sampled, spine, parameters.seed))
    return report.joined(_of_dataset(settings, parameters, pinned, tell))


def _of_dataset(settings: TrainingSettings, parameters: RunParameters, pinned: PinnedView, tell: Tell) -> LeakReport:
    """What takes the dataset: candidates and steps of a user's, and features that tell the label alone."""
    if pinned.view.labels is None:
        return LeakReport(unchecked=(f"view {pinned.view.label} has no labels, so there is no dataset to look at",))
    try:
        dataset, _ = build_dataset(pinned, parameters.dataset, tell)
    except DatasetError as error:
        return LeakReport(unchecked=(f"there is no dataset to look at: {error}",))
    report = LeakReport(too_good=telling_features(dataset, parameters.seed))
    if parameters.builds:
        report = report.joined(candidate_leaks(parameters.builds, dataset, parameters.seed))
    steps = pipeline_of(settings.definitions, parameters.pipeline).steps if parameters.pipeline else ()
    for step in steps:
        tell(f"trying step {step.name}")
        delay_us, given = to_us(pinned.view.label_delay), parameters.steps.get(step.name, {})
        report = report.joined(step_leaks(step, dataset, delay_us, given, parameters.seed))
    return report


def _own(
    named: str, pinned: PinnedView, store: OfflineStore, sampled: SampledRows, file: Path | None, seed: int
) -> LeakReport:
    view, function = pinned.view, _function(named)
    module, _, name = named.partition(":")
    given = spine_of(pinned, sampled) if file is None else _with_instants(read_spine_file(file))
    reach_us = max([DAY_US, *(group.readable_us for group in view.groups)])
    first_us = int(given[AS_OF].cast(pl.Datetime("us")).to_physical().min()) - reach_us  # type: ignore[arg-type]  # a spine has rows
    events = {}
    for source in sources_of(view):
        recent = store.pin_events(source).scan().filter(pl.col(source.event_time) >= first_us)
        events[source.name] = units_of(source, recent.collect())
    label = _LABEL if _LABEL in given.columns else ""
    return own_leaks(function, view, events, given, label, seed, lambda: import_again(module, name))


def spine_of(pinned: PinnedView, sampled: SampledRows) -> pl.DataFrame:
    """The sampled rows as a user would bring them: all fields of the event, `as_of`, and `label` where one is known."""
    source = pinned.view.source
    times = sampled.positions[EVENT_TIME]
    inside = pl.col(source.event_time).is_between(times.min(), times.max())
    events = pinned.events.scan().filter(inside).collect()
    positions = sampled.positions.drop(EVENT_TIME)
    found = positions.join(events, on=positions.columns, how="left", maintain_order="left")
    as_of = pl.col(source.event_time).cast(pl.Datetime("us", "UTC")).alias(AS_OF)
    rows = units_of(source, found).with_columns(found.select(as_of))
    if not pinned.labels:
        return rows
    known_us = complete_labels_us(pinned.view, pinned.labels, pinned.cut_us) - 1
    joined = join_labels(found, times.to_numpy(), pinned.view, pinned.labels, known_us)
    return rows.with_columns(joined.label.alias(_LABEL))


def _with_instants(spine: pl.DataFrame) -> pl.DataFrame:
    if AS_OF not in spine.columns or not len(spine):
        raise DatasetError(f"The spine has no column {AS_OF!r}, or no row. It has {', '.join(spine.columns)}. Add it.")
    instants = pl.Series(AS_OF, instants_of(AS_OF, TableRows(spine, ()))).cast(pl.Datetime("us", "UTC"))
    return spine.with_columns(instants)


def _function(named: str) -> Any:
    module, _, name = named.partition(":")
    try:
        if not module:
            raise ModuleNotFoundError("it names no module")
        return getattr(_imported(module), name)
    except (ImportError, AttributeError) as error:
        raise LeakError(
            f"There is no function {named!r}: {error}. Write MODULE:FUNCTION, such as my_shop.features_of_mine:add."
        ) from error


def _imported(module: str) -> ModuleType:
    try:
        return importlib.import_module(module)
    except ImportError:
        raise
    except Exception as error:
        raise LeakError(
            f"Module {module} cannot be imported: it raised {type(error).__name__}: {error}. Correct what it does when "
            "it is imported."
        ) from error
