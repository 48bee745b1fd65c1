from dataclasses import replace

from shared_features.formats.model_manifest import stamp_view
from tests.domains.machines import BREAKDOWN
from tests.shared_features.formats.test_model_manifest import MANIFEST
from training.registry.gate.live_view import view_check


def test_a_version_of_the_views_own_groups_passes_and_of_others_is_refused_with_what_changed():
    manifest = replace(MANIFEST, view=stamp_view(BREAKDOWN))
    passed, refused = (view_check(each, BREAKDOWN) for each in (manifest, MANIFEST))
    assert passed.passed
    assert passed.asked == f"view {BREAKDOWN.label} and its groups as they are defined now"
    assert passed.found.endswith("with equal fingerprints")
    assert refused.missed
    assert "wants amount, view breakdown" in refused.found
