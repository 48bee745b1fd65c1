"""The step `score` of a batch scoring: a version's predictions of all rows, in a file that appears whole."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import asdict
from pathlib import Path
from typing import Any

import structlog

from shared_features.compilation.compilation import compile_in_turn
from shared_features.counted import counted
from shared_features.definitions import check_functions, load_definitions
from shared_features.formats.json_document import encode_document
from shared_features.kernel.event_time import to_us
from training.datasets.offline_store import OfflineStore
from training.durable_files import replace_file
from training.errors import StepError
from training.inference.batch_prediction import predict_rows, remove_unfinished
from training.inference.published_model import open_model
from training.inference.rows_to_predict import Rows, SpineRows
from training.inference.stored_rows import StoredRows
from training.registry.versions import Registry
from training.runs.plan.data_version import open_data
from training.runs.plan.scoring_context import SCORED_FILE, ScoringContext
from training.steps.step import Task

_ROWS_AT_ONCE = 250_000
_LOG = structlog.get_logger(part="score")


def score_step(task: Task) -> str:
    """Done again it writes the same file again: the version and the tables are those that the run began with."""
    context: ScoringContext = task.context
    settings, asked = context.settings, context.asked
    output = _place(settings.scoring / asked.output)
    catalogue = load_definitions(settings.definitions)
    model = open_model(Registry(settings.registry), catalogue, asked.model, str(context.version))
    check_functions(model.view)
    with model.scorer:
        done = predict_rows(model, _rows(context, model.names), output, task.tell)
    scored: dict[str, Any] = {"model": asked.model, "version": context.version, "output": asked.output, **asdict(done)}
    replace_file(task.output / SCORED_FILE, encode_document(scored))
    unanswered = f", {counted(done.unanswered, 'row')} without a number" if done.unanswered else ""
    return f"{counted(done.rows, 'row')} by {model.label}{unanswered}: {output}"


def _place(output: Path) -> Path:
    try:
        output.parent.mkdir(parents=True, exist_ok=True)
        remove_unfinished(output)
    except OSError as error:
        raise StepError(
            f"the folder {output.parent} cannot be written: {error}. Mend it, or set MILLRACE_SCORING."
        ) from error
    return output


def _rows(context: ScoringContext, taken: Collection[str]) -> Rows:
    """taken: the columns of the predictions."""
    settings, asked = context.settings, context.asked
    compile_in_turn(_LOG.info)
    if asked.spine is not None:
        file, store, lag_us = settings.scoring / asked.spine, OfflineStore(settings.lake), round(asked.lag * 1e6)
        return SpineRows(file, context.view, store, asked.truth, lag_us, _ROWS_AT_ONCE, settings.spine_events_at_once)
    if asked.from_ is None or asked.to is None or context.data is None:
        raise AssertionError("a request without a spine has both times, and its data are pinned")
    pinned = open_data(settings.lake, context.view, context.data)
    return StoredRows(pinned, to_us(asked.from_), to_us(asked.to), _ROWS_AT_ONCE, taken)
