"""The check that a version takes what is computed now: its view and feature groups, as they are defined."""

from __future__ import annotations

from shared_features.counted import counted
from shared_features.definitions import FeatureView
from shared_features.errors import ManifestMismatchError
from shared_features.formats.model_manifest import ModelManifest, check_manifest
from training.registry.gate.check import Check


def view_check(manifest: ModelManifest, view: FeatureView) -> Check:
    """Serving and the stream make the same comparison before they use a version."""
    asked = f"view {view.label} and its groups as they are defined now"
    try:
        check_manifest(manifest, view)
    except ManifestMismatchError as error:
        return Check(asked, str(error), False)
    groups = counted(len(manifest.view.groups), "group")
    return Check(asked, f"{counted(len(manifest.view.features), 'feature')} of {groups}, with equal fingerprints", True)
