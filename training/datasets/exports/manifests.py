"""The manifest of an exported table."""

from __future__ import annotations

import platform
from collections.abc import Iterable
from dataclasses import replace
from importlib import metadata
from typing import Any

import polars as pl

from shared_features.definitions import FeatureView
from shared_features.formats.dataset_manifest import (
    DatasetManifest,
    DatasetParameters,
    DatasetView,
    LabelCounts,
    PinnedVersion,
    RowCounts,
    TimeSplit,
    WindowCounts,
)
from training.datasets.exports.dataset_table import DatasetTable
from training.datasets.exports.table_digest import table_digest
from training.datasets.offline_store import PinnedTable

NO_ROWS = WindowCounts(0, 0, 0)
_LIBRARIES = ("millrace", "numpy", "numba", "polars", "deltalake")


def manifest_of(
    view: FeatureView,
    cut_us: int,
    tables: Iterable[PinnedTable],
    labels: LabelCounts,
    span: tuple[int, int],
    rows: RowCounts,
    erased: int,
    **more: Any,
) -> DatasetManifest:
    """Of rows without windows, which lie in `span`: from its first microsecond up to its second. more: other fields."""
    start_us, end_us = span
    return DatasetManifest(
        **{
            "allowed_lateness_us": 0,
            "parameters": DatasetParameters(),
            "view": DatasetView(view.name, view.version, view.fingerprint),
            "groups": {group.label: group.fingerprint for group in view.groups},
            "cut_us": cut_us,
            "tables": {each.name: PinnedVersion(each.version, tuple(each.files)) for each in tables},
            "labels": labels,
            "split": TimeSplit(start_us, end_us - start_us, 0, 0),
            "entity": view.groups[0].entity.name if view.groups else "",
            "features": tuple(column.name for column in view.columns),
            "rows": rows,
            "digest": "",
            "erased_entities": erased,
            "task": "binary" if view.predicted is None else view.predicted.kind,
            **more,
        }
    )


def stamped(data: pl.DataFrame, manifest: DatasetManifest, spine: pl.DataFrame | None = None) -> DatasetTable:
    """The table with a manifest that says its digest and what made it."""
    digest = table_digest(data)
    libraries = {"python": platform.python_version(), "machine": platform.machine()}
    libraries |= {name: metadata.version(name) for name in _LIBRARIES}
    told = replace(manifest, digest=manifest.digest or digest, data_digest=digest, libraries=libraries)
    return DatasetTable(data, told, spine)
