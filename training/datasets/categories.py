"""The categories of a dataset: which values each has in the train window, under their own names."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np
import polars as pl
from numpy.typing import NDArray

from shared_features.definitions import Boolean, FeatureView, ViewFeature, category_field
from shared_features.kernel.hashing import text_codes
from shared_features.kernel.vocabulary import CategoryValue, Vocabulary, value_codes
from training.datasets.offline_store import PinnedTable
from training.datasets.pinned_view import PinnedView, category_sources

Values = tuple[CategoryValue, ...]


def find_categories(pinned: PinnedView, codes: NDArray[np.float64]) -> dict[str, Values]:
    """Feature -> its values, sorted; of more than the category takes, the most frequent.

    codes: float64[n, categories] of the rows of the train window, as `category_codes` gives them. A text that no stored
    event has any more is left out: nobody could read its name.
    """
    found = {}
    for at, (_, column) in enumerate(pinned.view.categories):
        if column.category is None:
            continue
        known = codes[~np.isnan(codes[:, at]), at]
        there, counts = np.unique(known, return_counts=True)
        names = named_values(pinned.view, column, there, tables_of(pinned, column))
        ranked = sorted(
            (-count, value) for value, count in zip(names, counts.tolist(), strict=True) if value is not None
        )
        found[column.name] = tuple(sorted(value for _, value in ranked[: column.category.at_most]))
    return found


def tell_categories(categories: Mapping[str, Values]) -> str:
    """In a few words; "" without categories."""
    said = [f"{name} ({len(values)} values)" for name, values in categories.items()]
    return f"; categories {', '.join(said)}" if said else ""


def named_values(
    view: FeatureView, column: ViewFeature, codes: NDArray[np.float64], tables: Iterable[PinnedTable]
) -> pl.Series:
    """The value of each code of a category; null where it is missing, or a text that is not stored any more.

    tables: the events that the values came from.
    """
    (given,) = column.inputs
    field = category_field(view.source, given.field, given.feature)
    if field is not None and isinstance(field.type, Boolean):
        return pl.Series(column.name, [None if np.isnan(code) else bool(code) for code in codes], pl.Boolean)
    if not given.is_text:
        return pl.Series(column.name, [None if np.isnan(code) else int(code) for code in codes], pl.Int64)
    name = (given.field if given.feature is None else given.feature.aggregate.column) or ""
    wanted = set(codes.tolist())
    of_code: dict[float, str] = {}
    for table in tables:
        texts = table.scan().select(pl.col(name).drop_nulls().unique()).collect()[name].to_list()
        of_code |= {code: text for code, text in zip(text_codes(texts).tolist(), texts, strict=True) if code in wanted}
    return pl.Series(column.name, [of_code.get(code) for code in codes.tolist()], pl.String)


def tables_of(pinned: PinnedView, column: ViewFeature) -> list[PinnedTable]:
    """Those whose events a category's values came from."""
    (given,) = column.inputs
    if given.feature is None:
        return [pinned.events]
    theirs = dict(zip((each.name for each in category_sources(pinned.view)), pinned.named, strict=True))
    return [theirs[each.name] for each in given.feature.group.sources if each.name in theirs]


def places_in(theirs: Values, ours: Values, places: NDArray[np.float32]) -> NDArray[np.float32]:
    """The places of our values among those of another model; NaN of a value that it does not know."""
    known = Vocabulary(theirs).places(value_codes(ours))
    found = np.full(len(places), np.nan, np.float32)
    there = ~np.isnan(places)
    found[there] = known[places[there].astype(np.int64)]
    return found
