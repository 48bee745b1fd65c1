"""A version that is not what was published is refused by name, whoever runs it."""

from dataclasses import replace
from pathlib import Path

import pytest

from shared_features.errors import ManifestMismatchError
from shared_features.formats.model_checks import check_graph, check_place, vocabularies_of
from shared_features.formats.model_manifest import MANIFEST_FILE, ModelManifest, decode_manifest
from tests.domains.machines import BREAKDOWN
from tests.serving.published_models import publish


@pytest.fixture(scope="module")
def version(tmp_path_factory: pytest.TempPathFactory) -> Path:
    registry: Path = tmp_path_factory.mktemp("registry")
    publish(registry, BREAKDOWN)
    return registry / "breakdown" / "1"


@pytest.fixture
def manifest(version: Path) -> ModelManifest:
    return decode_manifest((version / MANIFEST_FILE).read_bytes())


def test_a_version_lies_under_its_own_name_and_number(version: Path, manifest: ModelManifest) -> None:
    check_place(manifest, version)
    for elsewhere in (version.parent / "2", version.parent.parent / "other" / "1"):
        with pytest.raises(
            ManifestMismatchError, match=r"holds the manifest of model breakdown 1\. A version is never"
        ):
            check_place(manifest, elsewhere)


def test_a_graph_is_the_one_that_was_published(version: Path, manifest: ModelManifest) -> None:
    graph = (version / "model.onnx").read_bytes()
    assert check_graph(manifest, graph) == manifest.model_digest
    with pytest.raises(ManifestMismatchError, match=r"registry verify breakdown 1` says what differs"):
        check_graph(manifest, graph + b"\0")


def test_a_model_knows_the_categories_of_its_view_and_no_others(manifest: ModelManifest) -> None:
    assert [at for at, _ in vocabularies_of(manifest, BREAKDOWN)] == [at for at, _ in BREAKDOWN.categories]
    with pytest.raises(ManifestMismatchError, match=r"knows the values of .*shade.*, and view breakdown:v1 has other"):
        vocabularies_of(replace(manifest, categories={**manifest.categories, "shade": ("a",)}), BREAKDOWN)
