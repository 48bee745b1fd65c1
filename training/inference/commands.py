"""`python -m training predict`: a batch prediction by the command line."""

from __future__ import annotations

import argparse
import sys
import time

import structlog

from shared_features.compilation.compilation import compile_in_turn
from shared_features.counted import counted
from shared_features.definitions import check_functions, load_definitions
from shared_features.kernel.event_time import to_us
from training.datasets.offline_store import OfflineStore
from training.datasets.pinned_view import pin_view
from training.errors import TrainingError
from training.inference.batch_prediction import Predicted, predict_rows
from training.inference.published_model import PublishedModel, open_model
from training.inference.rows_to_predict import FeatureFileRows, Rows, SpineRows
from training.inference.shown_progress import ShownProgress
from training.inference.stored_rows import StoredRows
from training.output_files import TABLE, check_output
from training.registry.versions import Registry
from training.settings import TrainingSettings

_LOG = structlog.get_logger(part="predict")


def predict(settings: TrainingSettings, options: argparse.Namespace) -> int:
    """Returns the exit code 0. Raises TrainingError."""
    check_output(options.output, TABLE, options.spine, options.features)
    catalogue = load_definitions(settings.definitions)
    model = open_model(Registry(settings.registry), catalogue, options.model, options.version, options.threads)
    check_functions(model.view)
    with model.scorer:
        rows, shown, began_s = _rows(settings, options, model), ShownProgress(), time.monotonic()
        try:
            done = predict_rows(model, rows, options.output, shown)
        finally:
            shown.end()
    sys.stdout.write(_said(model, done, time.monotonic() - began_s) + f": {options.output}\n")
    return 0


def _rows(settings: TrainingSettings, options: argparse.Namespace, model: PublishedModel) -> Rows:
    view, at_once = model.view, options.rows_at_once
    if (options.from_us is None) != (options.to_us is None):
        raise TrainingError("--from and --to belong together. Give both, or rows by --spine or --features.")
    if options.features is not None:
        return FeatureFileRows(options.features, view, at_once)
    store = OfflineStore(settings.lake)
    compile_in_turn(_LOG.info)
    if options.spine is not None:
        lag_us, events = round(options.lag * 1e6), settings.spine_events_at_once
        return SpineRows(options.spine, view, store, options.truth, lag_us, at_once, events)
    pinned = pin_view(store, view, to_us(settings.allowed_lateness))
    return StoredRows(pinned, options.from_us, options.to_us, at_once, model.names)


def _said(model: PublishedModel, done: Predicted, seconds: float) -> str:
    unanswered = f", {counted(done.unanswered, 'row')} without a number" if done.unanswered else ""
    alone = "" if done.shares_runs else ", row by row, because the graph adds in another order for several rows"
    by = f", by ONNX Runtime because {done.why_not_compiled}" if done.why_not_compiled else ""
    return f"{counted(done.rows, 'row')} by {model.label}{unanswered}, {done.rows / seconds:,.0f} rows/s{alone}{by}"
