"""Pins of exported datasets: as long as its manifest lies in the lake, retention and retirement keep what it needs."""

from __future__ import annotations

from pathlib import Path

from shared_features.definitions import EventSource, FeatureView
from shared_features.formats.dataset_manifest import PINNED_FOLDER, DatasetManifest, encode_dataset_manifest
from shared_features.kernel.event_time import to_text
from training.datasets.offline_store import OfflineStore
from training.durable_files import replace_file
from training.errors import DatasetError


def pin_name(manifest: DatasetManifest) -> str:
    """One of each content: two directories with the same table share it."""
    return f"{manifest.view.name}-v{manifest.view.version}-{manifest.data_digest[:16]}"


def pin_dataset(lake: Path, view: FeatureView, manifest: DatasetManifest) -> str:
    """Pin it; returns the name of the pin. Raises DatasetError where retention has deleted what it needs."""
    file = _file(lake, manifest)
    replace_file(file, encode_dataset_manifest(manifest))
    # Only now: a retention that had read the pins before may have been under way.
    for source in _sources(view, manifest):
        kept_us = OfflineStore(lake).kept_from_us(source)
        reach_us = max((group.readable_us for group in view.groups), default=0)
        if kept_us > manifest.split.start_us - reach_us:
            file.unlink(missing_ok=True)
            raise DatasetError(
                f"The dataset cannot be pinned. Events of {source.name!r} that arrived before {to_text(kept_us)} were "
                f"deleted by retention, and its windows reach back to "
                f"{to_text(manifest.split.start_us - reach_us)}. Export later rows."
            )
    return pin_name(manifest)


def unpin_dataset(lake: Path, manifest: DatasetManifest) -> bool:
    """Remove the pin. Returns whether there was one."""
    there = is_pinned(lake, manifest)
    _file(lake, manifest).unlink(missing_ok=True)
    return there


def is_pinned(lake: Path, manifest: DatasetManifest) -> bool:
    return _file(lake, manifest).is_file()


def _file(lake: Path, manifest: DatasetManifest) -> Path:
    return lake / PINNED_FOLDER / f"{pin_name(manifest)}.json"


def _sources(view: FeatureView, manifest: DatasetManifest) -> list[EventSource]:
    """Whose events its rows come from."""
    read = [source for group in view.groups for source in group.sources]
    own = [view.source] if manifest.spine is None else []
    return list({source.name: source for source in (*own, *read)}.values())
