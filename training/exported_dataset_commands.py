"""`python -m training dataset rebuild | pin | unpin`: what is done with an exported directory; gives the exit code."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

from training.settings import TrainingSettings


def rebuild(settings: TrainingSettings, directory: Path) -> int:
    """Raises DatasetError where a bit of it differs."""
    from shared_features.definitions import load_definitions
    from training.datasets.exports import rebuilding
    from training.datasets.offline_store import OfflineStore
    from training.inference.log_and_train import read_again
    from training.registry.versions import Registry

    views, at_once = load_definitions(settings.definitions).views, settings.spine_events_at_once
    store = OfflineStore(settings.lake)
    logged = partial(read_again, store, Registry(settings.registry))
    table = rebuilding.rebuild(store, views, directory, events_at_once=at_once, logged=logged)
    print(f"{table.title}, built again: bit for bit that of {directory}, digest {table.manifest.data_digest[:16]}")
    return 0


def pin(settings: TrainingSettings, directory: Path) -> int:
    """Hold back what would delete the events that it needs."""
    from shared_features.definitions import load_definitions
    from training.datasets.exports.dataset_table import read_directory
    from training.datasets.exports.pins import pin_dataset
    from training.datasets.exports.rebuilding import view_of

    manifest = read_directory(directory).manifest
    view = view_of(manifest, load_definitions(settings.definitions).views)
    print(f"{directory} is pinned as {pin_dataset(settings.lake, view, manifest)}")
    return 0


def unpin(settings: TrainingSettings, directory: Path) -> int:
    """End that."""
    from training.datasets.exports.dataset_table import read_manifest
    from training.datasets.exports.pins import pin_name, unpin_dataset

    manifest = read_manifest(directory)
    was = unpin_dataset(settings.lake, manifest)
    print(f"{directory} {'is not pinned any more' if was else 'was not pinned'}: {pin_name(manifest)}")
    return 0


VERBS: Mapping[str, Callable[[TrainingSettings, Path], int]] = {"rebuild": rebuild, "pin": pin, "unpin": unpin}
