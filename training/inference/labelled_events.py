"""The fields that labels join on, for logged requests that name the event they are about.

A request carries what features need, and labels often join on an id that no feature needs. A request that has the time
of its event names the event by it, with the keys of its entities: the id is that of the stored event.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import polars as pl
from numpy.typing import NDArray

from training.datasets.given_spine import GivenSpine
from training.datasets.offline_store import OfflineStore

_NAMED, _WHICH = "named_event_time_us", "which_events"


def with_label_keys(store: OfflineStore, spine: GivenSpine, named_us: NDArray[np.int64]) -> GivenSpine:
    """The spine with the fields that labels of its view join on: null where no event, or more than one, fits a row.

    named_us: the time of the event that each row names; -1 where it names none.
    """
    view = spine.view
    joins = dict.fromkeys(name for each in view.label_sources for name in each.joins)
    lacking = [name for name in joins if name not in spine.given.columns]
    if not lacking:
        return spine
    keys = list(dict.fromkeys(name for group in view.groups for name in group.entity.keys))
    asked = pl.DataFrame({name: pl.Series(spine.columns[name].tolist()) for name in keys}).with_columns(
        pl.Series(_NAMED, named_us)
    )
    time = pl.col(view.source.event_time)
    events = (
        store.pin_events(view.source)
        .scan()
        .filter(time.is_between(int(named_us.min()), int(named_us.max())))
        .select(*(pl.col(name).cast(asked.schema[name]) for name in keys), time.alias(_NAMED), *lacking)
        .join(asked.lazy().unique(), on=[*keys, _NAMED], how="semi")
        .unique()
        .with_columns(pl.len().over(*keys, _NAMED).alias(_WHICH))
        .filter(pl.col(_WHICH) == 1)
        .collect()
    )
    found = asked.join(events, on=[*keys, _NAMED], how="left", maintain_order="left").select(lacking)
    return replace(spine, given=pl.concat([spine.given, found], how="horizontal"))
