"""The search for a candidate's hyper-parameters, as a part of the step `fit`."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from shared_features.formats.json_document import encode_document
from training.definitions.search import NumberRange, Range, Search, WholeRange
from training.models.comparison.weighted_metrics import weighted_metric
from training.models.predictions import predicted
from training.models.search.hyper_parameters import Found, search
from training.models.search.search_report import search_facts, search_plot, trial_table
from training.models.search.time_folds import time_folds
from training.progress import Tell, untold
from training.registry.model_card.document_text import Section, Table, write_html
from training.runs.actions.candidate_fit import CandidateFit
from training.runs.records.run_folder import search_file


def search_values(candidate: CandidateFit, asked: Search, metric: str, tell: Tell = untold) -> Found:
    """No rows are looked at but those of the train window. Raises TrainingError for a name that nothing has."""
    train = candidate.train
    replace(candidate, values=dict.fromkeys(asked.space)).check_names()
    folds = time_folds(train.event_time_us, train.label, train.task, asked.folds, train.gap_us)

    def score(values: Mapping[str, Any]) -> list[float]:
        found = []
        for fold in folds:
            pipeline, _ = replace(candidate, values=values).fit(fold.earlier)
            said = predicted(pipeline, train.matrix[fold.later], train.task)
            found.append(weighted_metric(metric, train.label[fold.later], said)(np.ones(len(fold.later))))
        return found

    return search(
        functools.partial(_propose, asked.space),
        score,
        metric,
        candidate.seed,
        asked.trials,
        None if asked.minutes is None else 60 * asked.minutes,
        lambda says, part=0, of=0: tell(f"{candidate.name}: {says}", part, of),
    )


def write_search(output: Path, name: str, found: Found) -> None:
    """The report of a search, in the folder of the step: as JSON and as a page."""
    facts = search_facts(found)
    search_file(output, name).write_bytes(encode_document(facts))
    trials = Section("Trials", [f"{facts['says']}."], [Table(*trial_table(facts))], [search_plot(name, facts)])
    search_file(output, name).with_suffix(".html").write_text(write_html(f"Search of {name}", [trials]))


def _propose(space: Mapping[str, Range], trial: Any) -> dict[str, Any]:
    return {name: _value(name, each, trial) for name, each in space.items()}


def _value(name: str, given: Range, trial: Any) -> Any:
    if isinstance(given, WholeRange):
        return trial.suggest_int(name, given.low, given.high, log=given.log)
    if isinstance(given, NumberRange):
        return trial.suggest_float(name, given.low, given.high, log=given.log)
    return trial.suggest_categorical(name, given.values)
