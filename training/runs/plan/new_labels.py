"""How many labels arrived since the last run: what a schedule may wait for."""

from __future__ import annotations

import polars as pl

from shared_features.definitions import FeatureView, LabelSource
from shared_features.formats.offline_tables import ARRIVAL_TIME, WATERMARK_APP
from shared_features.kernel.event_time import to_us
from training.datasets.offline_store import OfflineStore
from training.errors import DatasetError
from training.settings import TrainingSettings
from training.steps.run_journal import SUCCEEDED, Journal, journals


def count_new_labels(settings: TrainingSettings, view: FeatureView, model: str = "") -> int:
    """Stored labels that the newest run of the model that succeeded could not know; all of them without such a run.

    That run knew the labels that had arrived before its cut. So neither compaction nor retention changes the count.
    """
    if view.labels is None:
        raise DatasetError(f"view {view.label} has no label source, so no label can arrive; give it `labels=`")
    cut_us = learned_up_to_us(settings, view, model)
    new = _new_labels(OfflineStore(settings.lake), view, view.labels, cut_us)
    return int(new.select(pl.len()).collect().item())


def _new_labels(store: OfflineStore, view: FeatureView, labels: LabelSource, cut_us: int) -> pl.LazyFrame:
    """Label events that arrived since the cut; where later events make the label, the rows whose delay ended since."""
    table = store.pin_events(labels.source)
    if labels.later is None:
        return table.scan().filter((pl.col(ARRIVAL_TIME) >= cut_us) & pl.col(labels.column).is_not_null())
    complete_us = table.table.transaction_version(WATERMARK_APP) or 0
    over_us = pl.col(view.source.event_time) + to_us(labels.delay)
    return store.pin_events(view.source).scan().filter((over_us >= cut_us) & (over_us < complete_us))


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
