"""Where the labels of a dataset are from, in lines to read."""

from __future__ import annotations

from collections import Counter

from shared_features.formats.dataset_manifest import DatasetManifest


def tell_labels(manifest: DatasetManifest) -> list[str]:
    """What is to be known of them; nothing of labels that somebody sent, by one source, whenever they happened."""
    windows = (manifest.rows.train, manifest.rows.gap, manifest.rows.test)
    found = []
    if without := sum(each.without_label for each in windows):
        found.append(f"{without:,} labelled as those that no label came for")
    if outside := manifest.labels.outside:
        found.append(f"{outside:,} labels that happened outside the time in which they count")
    if by_source := labels_by_source(manifest):
        found.append(f"labelled by {', '.join(f'{name} {count:,}' for name, count in by_source.items())}")
    return found


def labels_by_source(manifest: DatasetManifest) -> dict[str, int]:
    """Label source -> rows of all windows that have their label of it; empty where there is one source."""
    windows = (manifest.rows.train, manifest.rows.gap, manifest.rows.test)
    return dict(sum((Counter(each.by_source) for each in windows), Counter[str]()))
