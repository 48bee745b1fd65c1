"""What later steps read of a file, where that is less than all its bytes. Light to import: skipped steps ask too."""

from __future__ import annotations

import hashlib
import json

from shared_features.definitions.fingerprints import canonical
from shared_features.formats.dataset_manifest import decode_dataset_manifest


def rows_digest(content: bytes) -> str:
    """Of `dataset.json`: the rows and windows, but not the versions of the tables they came from.

    So a compaction of the tables, which changes no row, has no model fitted again.
    """
    manifest = decode_dataset_manifest(content)
    # The digest of the rows covers the classes and the values of categories.
    meant = (manifest.view, manifest.groups, manifest.split, manifest.entity, manifest.features, manifest.digest)
    return hashlib.sha256(canonical(meant).encode()).hexdigest()


def chosen_digest(content: bytes) -> str:
    """Of the metrics: which model was chosen. Only `publish` and `promote` read the numbers, and they always run."""
    return hashlib.sha256(str(json.loads(content)["chosen"]).encode()).hexdigest()
