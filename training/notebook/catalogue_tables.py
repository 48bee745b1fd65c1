"""What the definitions hold, as tables."""

from __future__ import annotations

import polars as pl

from shared_features.definitions import Catalogue


def view_table(catalogue: Catalogue) -> pl.DataFrame:
    """A row for each feature view."""
    return pl.DataFrame(
        [
            {
                "view": each.name,
                "version": each.version,
                "rows": each.source.name,
                "task": None if each.predicted is None else each.predicted.kind,
                "features": len(each.columns),
                "groups": [group.label for group in each.groups],
            }
            for each in catalogue.views
        ]
    )


def group_table(catalogue: Catalogue) -> pl.DataFrame:
    """A row for each part of a feature group."""
    return pl.DataFrame(
        [
            {
                "group": each.label,
                "keys": list(each.entity.keys),
                "sources": [source.name for source in each.sources],
                "features": [feature.name for feature in each.features],
            }
            for each in catalogue.groups
        ]
    )
