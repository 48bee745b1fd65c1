"""A view of one group alone, for those who ask for its features without a model."""

from __future__ import annotations

from datetime import UTC, datetime

import polars as pl

from shared_features.arguments import did_you_mean
from shared_features.definitions import Catalogue, Category, FeatureView
from shared_features.kernel.event_time import to_datetime
from training.datasets.given_spine import AS_OF
from training.errors import TrainingError


def group_view(catalogue: Catalogue, name: str) -> FeatureView:
    """All features of a group. name: with or without its version; without, the newest. Raises TrainingError."""
    named = [each for each in catalogue.groups if name in (each.name, each.label, f"{each.name}:v{each.version}")]
    if not named:
        known = list(dict.fromkeys(each.name for each in catalogue.groups))
        raise TrainingError(
            f"There is no feature group {name!r}.{did_you_mean(name, known)} The groups are {', '.join(known)}."
        )
    newest = max(each.version for each in named)
    parts = [each for each in named if each.version == newest]
    features = [Category(each) if each.is_text else each for part in parts for each in part.features]
    return FeatureView(parts[0].name, newest, parts[0].sources[0], tuple(features))


def group_spine(keys: pl.DataFrame, as_of_us: int | None) -> pl.DataFrame:
    """The keys with the instant that is asked for, if one is."""
    if as_of_us is None:
        return keys
    if AS_OF in keys.columns:
        raise TrainingError(
            f"The keys have a column {AS_OF!r}, and {AS_OF} is given too. Only one of them can be meant. Leave one out."
        )
    instant: datetime = to_datetime(as_of_us).astimezone(UTC)
    return keys.with_columns(pl.lit(instant, pl.Datetime("us", "UTC")).alias(AS_OF))
