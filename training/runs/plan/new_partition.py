"""A new partition: a day or an hour that has ended since the last run, and is stored whole. A schedule may wait for it.

The day is that of the arrival time in UTC, by which the events tables are partitioned.
"""

from __future__ import annotations

import polars as pl

from shared_features.definitions import FeatureView
from shared_features.formats.offline_tables import ARRIVAL_DATE, ARRIVAL_TIME
from shared_features.kernel.event_time import DAY_US, HOUR_US, to_datetime, to_us
from training.datasets.offline_store import OfflineStore
from training.datasets.pinned_view import pin_view
from training.runs.plan.new_labels import learned_up_to_us
from training.settings import TrainingSettings

_LENGTH_US = {"day": DAY_US, "hour": HOUR_US}


def new_partition(settings: TrainingSettings, view: FeatureView, model: str, unit: str) -> str:
    """The newest day or hour with events of the view that the last run of the model that succeeded did not know whole.

    Such as `2026-11-29` or `2026-11-29 13:00`; empty: there is none. It ended below the cut of the view's feature rows,
    so no event of it is missing in any of the view's tables. unit: `day` or `hour`.
    """
    store, length_us = OfflineStore(settings.lake), _LENGTH_US[unit]
    pinned = pin_view(store, view, to_us(settings.allowed_lateness))
    ended_us = pinned.cut_us // length_us * length_us
    known_us = learned_up_to_us(settings, view, model) // length_us * length_us
    arrived = pl.col(ARRIVAL_TIME)
    inside = (arrived >= known_us) & (arrived < ended_us)
    days = pl.col(ARRIVAL_DATE).is_between(pl.lit(_date(known_us)), pl.lit(_date(ended_us)))  # files that are not read
    newest_us = pinned.events.scan().filter(days & inside).select(arrived.max()).collect().item()
    if newest_us is None:
        return ""
    began = to_datetime(newest_us // length_us * length_us)
    return f"{began:%Y-%m-%d}" if unit == "day" else f"{began:%Y-%m-%d %H:%M}"


def _date(at_us: int) -> str:
    return f"{to_datetime(at_us):%Y-%m-%d}"
