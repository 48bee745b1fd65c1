"""How many labels arrived since the last run: what a schedule may wait for."""

from __future__ import annotations

from datetime import timedelta

import polars as pl

from shared_features.definitions import FeatureView, LabelSource
from shared_features.formats.offline_tables import ARRIVAL_TIME, POSITION, WATERMARK_APP
from shared_features.kernel.event_time import to_us
from training.datasets.offline_store import OfflineStore
from training.errors import DatasetError
from training.settings import TrainingSettings
from training.steps.run_journal import SUCCEEDED, Journal, journals

_ROW = "event time of the row"


def count_new_labels(settings: TrainingSettings, view: FeatureView, model: str = "") -> int:
    """Stored labels that the newest run of the model that succeeded could not know; all of them without such a run.

    That run knew the labels that had arrived before its cut. So neither compaction nor retention changes the count.
    """
    if not view.label_sources:
        raise DatasetError(f"view {view.label} has no label source, so no label can arrive; give it `labels=`")
    cut_us, store = learned_up_to_us(settings, view, model), OfflineStore(settings.lake)
    new = [_new_labels(store, view, each, cut_us) for each in view.label_sources]
    return sum(int(each.select(pl.len()).collect().item()) for each in new)


def _new_labels(store: OfflineStore, view: FeatureView, labels: LabelSource, cut_us: int) -> pl.LazyFrame:
    """Label events that arrived since the cut; where later events make the label, the rows whose delay ended since."""
    table, spine = store.pin_events(labels.source), store.pin_events(view.source).scan()
    happened = pl.col(view.source.event_time)
    if labels.later is None:
        arrived = table.scan().filter((pl.col(ARRIVAL_TIME) >= cut_us) & pl.col(labels.column).is_not_null())
        rows = spine.select(*labels.joins, happened.alias(_ROW))
        return arrived if labels.within is None else _inside(arrived, rows, labels, labels.within)
    complete_us = table.table.transaction_version(WATERMARK_APP) or 0
    over_us = happened + to_us(labels.delay)
    return spine.filter((over_us >= cut_us) & (over_us < complete_us))


def _inside(arrived: pl.LazyFrame, rows: pl.LazyFrame, labels: LabelSource, within: timedelta) -> pl.LazyFrame:
    """Those in the label window of a row."""
    after_us = pl.col(labels.source.event_time) - pl.col(_ROW)
    near = arrived.join(rows, on=labels.joins).filter(after_us.is_between(0, to_us(within)))
    return near.select(POSITION).unique()


def learned_up_to_us(settings: TrainingSettings, view: FeatureView, model: str = "") -> int:
    """The cut of the newest run of the view's model that succeeded; 0: there is none.

    model: the name of its definition; empty: the view has none.
    """
    done = (journal for _, journal in journals(settings.training_runs / view.name) if _has_learned(journal, model))
    return next((int(journal.data["cut_us"]) for journal in done), 0)


def _has_learned(journal: Journal, model: str) -> bool:
    """Whether the run succeeded, is of this model, and is not of a pipeline that fits none."""
    fits = "fit" in journal.steps or not journal.asked.get("pipeline")
    return journal.status == SUCCEEDED and fits and journal.asked.get("model", "") == model
