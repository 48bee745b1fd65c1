"""Log and train: the rows that were asked for and what the model saw, out of the prediction log, with later labels.

Nothing is computed: a feature is the number that the log has, bit for bit that of a replay up to the receipt's
positions. Only a category is named, because a model knows a value of it by its place alone.
"""

from __future__ import annotations

from collections import Counter
from contextlib import ExitStack
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from shared_features.counted import counted
from shared_features.definitions import FeatureView, Field
from shared_features.formats.offline_tables import WATERMARK_APP, events_table
from shared_features.formats.prediction_log import (
    SCHEMA_VERSION,
    SOURCE_NAME,
    LoggedPrediction,
    each_once,
    is_altered,
    is_erased,
    logged_prediction,
    prediction_source,
)
from training.datasets.exports.exported import Logged
from training.datasets.given_spine import AS_OF, GivenSpine
from training.datasets.history.pinned_history import PinnedHistory
from training.datasets.offline_store import OfflineStore, PinnedTable
from training.datasets.training_dataset import canonical
from training.errors import DatasetError
from training.inference.audit.audited_model import AuditedModel
from training.inference.audit.log_batches.logged_batch import LoggedBatch
from training.inference.audit.log_batches.row_reader import RowReader
from training.inference.audit.logged_rows import LoggedRows
from training.inference.labelled_events import with_label_keys
from training.registry.versions import Registry

PREDICTION_ID, ROW, MODEL_VERSION = "prediction_id", "prediction_row", "model_version"
DEGRADED, PREDICTED = "degraded", "predicted"
_AT = "place_in_the_log"


@dataclass(frozen=True)
class LoggedDataset:
    """`n` rows of one view. features: name -> what the model saw, or of a category its value.

    left_out: why records are not in it, and how many there are of each reason.
    """

    history: PinnedHistory
    spine: GivenSpine
    features: dict[str, Any]
    left_out: Counter[str]

    def beside(self, spine: GivenSpine) -> pl.DataFrame:
        """The table of a spine of the same rows, with the features."""
        return spine.given.with_columns(pl.Series(name, values) for name, values in self.features.items())

    @property
    def lines(self) -> list[str]:
        """What is not in it, as lines to read."""
        return [f"left out: {counted(count, 'prediction')}, {why}" for why, count in sorted(self.left_out.items())]


def read_logged(store: OfflineStore, registry: Registry, view: FeatureView) -> LoggedDataset:
    """The predictions of a view by their instants. Raises DatasetError where there are none."""
    table = store.pin(events_table(prediction_source("any")))
    left_out: Counter[str] = Counter()
    rows = _readable(table, view, left_out)
    if not len(rows):
        found = ", ".join(f"{count} {why}" for why, count in sorted(left_out.items())) or "none"
        raise DatasetError(
            f"The prediction log has no prediction of view {view.label} to learn from. It has {found}. Set "
            "MILLRACE_PREDICTION_LOG_TOPIC for the endpoint and for the stream job, and ask for predictions."
        )
    happened_us = np.where(rows.named_us >= 0, rows.named_us, rows.as_of_us)
    spine = replace(with_label_keys(store, _spine(view, rows), rows.named_us), happened_us=happened_us)
    cut_us = table.table.transaction_version(WATERMARK_APP) or 0
    history = PinnedHistory({SOURCE_NAME: table}, cut_us, {SOURCE_NAME: 0})
    return LoggedDataset(history, spine, _features(registry, view, rows), left_out)


def read_again(
    store: OfflineStore, registry: Registry, view: FeatureView, rows: pl.DataFrame
) -> tuple[PinnedHistory, Logged, NDArray[np.int64]]:
    """The log, what adds the features of these rows of it, and when their events happened.

    Raises DatasetError where one is not in it any more.
    """
    found = read_logged(store, registry, view)
    ours = found.spine.given.select(PREDICTION_ID, ROW).with_row_index(_AT)
    at = rows.select(PREDICTION_ID, ROW).join(ours, on=[PREDICTION_ID, ROW], how="left", maintain_order="left")[_AT]
    if gone := int(at.null_count()):
        raise DatasetError(
            f"{counted(gone, 'row')} of it cannot be read in the prediction log. They were erased since."
        )
    features = {name: pl.Series(values).gather(at) for name, values in found.features.items()}
    happened_us = found.spine.labelled_from_us[at.to_numpy()]
    return found.history, replace(found, features=features).beside, happened_us


def _readable(table: PinnedTable, view: FeatureView, left_out: Counter[str]) -> LoggedRows:
    logged = each_once(
        map(logged_prediction, table.scan().filter(pl.col("view") == view.label).collect().iter_rows(named=True))
    )
    chosen = []
    for record in sorted(logged, key=lambda each: (each.as_of_us, each.instance, each.counter)):
        if why := _why_not(record, view):
            left_out[why] += 1
        else:
            chosen.append(record)
    rows, refused = RowReader(view).rows(LoggedBatch.of(chosen))
    left_out.update(["altered"] * len(refused))
    return rows


def _why_not(record: LoggedPrediction, view: FeatureView) -> str:
    """Why a record is left out; empty where it is not."""
    if record.schema_version != SCHEMA_VERSION:
        return "of another schema"
    if is_altered(record):
        return "altered"
    if is_erased(record):
        return "erased with an entity"
    return "" if record.view_fingerprint == view.fingerprint else "of the view as it was defined before"


def _spine(view: FeatureView, rows: LoggedRows) -> GivenSpine:
    records, columns, valid = [rows.records[number] for number in rows.of_record.tolist()], rows.columns, rows.valid
    about: dict[str, Any] = {
        PREDICTION_ID: [each.id for each in records],
        ROW: np.arange(len(rows)) - np.searchsorted(rows.of_record, rows.of_record),
        AS_OF: pl.Series(rows.as_of_us).cast(pl.Datetime("us", "UTC")),
        MODEL_VERSION: [each.version for each in records],
        DEGRADED: [each.degraded for each in records],
        PREDICTED: rows.scores.tolist(),
    }
    request = {each.name: _in_units(each, columns[each.name], valid.get(each.name)) for each in view.request_fields}
    if taken := sorted(about.keys() & request):
        raise DatasetError(
            f"View {view.label} has request fields of the names {', '.join(taken)}, under which a dataset of the log "
            "tells about its rows. Rename these fields."
        )
    return GivenSpine(view, pl.DataFrame({**about, **request}), rows.as_of_us, columns, valid)


def _in_units(field: Field, steps: NDArray[Any], there: NDArray[np.bool_] | None) -> pl.Series:
    """The values as a request has them; null where an optional one was left out."""
    if field.is_text:
        values = pl.Series(field.name, steps.tolist(), pl.String)
    elif field.type.is_instant:
        values = pl.Series(field.name, steps).cast(pl.Datetime("us", "UTC"))
    elif field.type.storage == "boolean":
        values = pl.Series(field.name, steps.astype(np.bool_))
    else:
        values = pl.Series(field.name, steps / field.scale if field.type.step_decimals else steps)
    return values if there is None else values.zip_with(pl.Series(there), pl.Series([None], dtype=values.dtype))


def _features(registry: Registry, view: FeatureView, rows: LoggedRows) -> dict[str, Any]:
    """Name -> what the model saw; of a category its value, null where the model did not know it."""
    seen = canonical(rows.features)
    found: dict[str, Any] = {column.name: seen[:, at] for at, column in enumerate(view.columns)}
    with ExitStack() as ends:
        model = cache(lambda name, version: dict(AuditedModel(registry, name, version, ends).categories(view)))
        records = [rows.records[number] for number in rows.of_record.tolist()]
        for at, column in view.categories:
            places = zip(records, rows.features[:, at].tolist(), strict=True)
            found[column.name] = [model(each.model, each.version)[at].named(place) for each, place in places]
    return found
