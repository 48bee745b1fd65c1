"""Models come and go in the registry while requests are answered."""

import asyncio
import threading

import pytest

from serving.errors import NoModelError
from serving.models import load_model
from serving.registry_models import RegistryModels
from shared_features.definitions import FeatureView
from shared_features.errors import FormatVersionError, ManifestMismatchError
from shared_features.formats.model_manifest import stamp_view
from tests.domains.machines import BREAKDOWN, HOT_PLANT
from tests.serving.conftest import INSTANCE
from tests.serving.published_models import publish
from training.registry.aliases import Aliases
from training.registry.versions import Registry

PATH = "/v1/views/breakdown:predict"


def models_of(registry, view=BREAKDOWN):
    return RegistryModels(registry, [view], "champion", 60.0)


def test_the_alias_says_which_version_answers_and_moving_it_is_enough(tmp_path):
    models = models_of(tmp_path)
    models.look()
    with pytest.raises(NoModelError, match="training run"):
        models.current(BREAKDOWN)
    first, second = publish(tmp_path, BREAKDOWN), publish(tmp_path, BREAKDOWN, 1)
    models.look()
    held = models.current(BREAKDOWN)
    assert held.version == second
    Aliases(Registry(tmp_path)).promote("breakdown", first)
    models.look()
    assert models.current(BREAKDOWN).version == first
    assert held.version == second  # a request keeps the model that it began with


def test_a_new_version_is_picked_up_while_requests_go_on_and_none_fails(serving, tmp_path):
    async def swap():
        publish(tmp_path, BREAKDOWN)
        async with serving(registry=tmp_path) as client:
            publishing = threading.Thread(target=publish, args=(tmp_path, BREAKDOWN, 1))
            seen = []
            publishing.start()
            for _ in range(400):
                answer = await client.post(PATH, json={"instances": [INSTANCE]})
                assert answer.status_code == 200
                seen.append((answer.json()["model"]["version"], answer.json()["predictions"][0]["score"]))
                if seen[-1][0] == 2:
                    break
                await asyncio.sleep(0.02)
            publishing.join()
            return seen

    seen = asyncio.run(swap())
    assert [version for version, _ in seen] == sorted(version for version, _ in seen)
    assert {version for version, _ in seen} == {1, 2}
    assert len(set(seen)) == 2  # each version has its own score, and only that


OTHER_ORDER = FeatureView("breakdown", 1, BREAKDOWN.source, tuple(reversed(BREAKDOWN.features)), BREAKDOWN.labels)
FEWER = FeatureView("breakdown", 1, BREAKDOWN.source, ("celsius", HOT_PLANT), BREAKDOWN.labels)


@pytest.mark.parametrize(("trained_on", "says"), [(OTHER_ORDER, "restore the order"), (FEWER, "does not know")])
def test_a_model_of_other_features_is_not_loaded_and_the_one_before_goes_on(tmp_path, trained_on, says):
    models = models_of(tmp_path)
    publish(tmp_path, BREAKDOWN)
    models.look()
    publish(tmp_path, trained_on)
    models.look()
    assert models.current(BREAKDOWN).version == 1
    assert says in models.refusals[BREAKDOWN.label]
    Aliases(Registry(tmp_path)).promote("breakdown", 1)
    models.look()
    assert not models.refusals


def test_a_model_of_the_same_names_with_another_meaning_is_not_loaded(tmp_path):
    other = FeatureView("breakdown", 1, BREAKDOWN.source, BREAKDOWN.features, None)
    version = publish(tmp_path, BREAKDOWN, view=stamp_view(other))
    with pytest.raises(ManifestMismatchError, match=r"labels were added\. Train a new model"):
        load_model(tmp_path / "breakdown" / str(version), BREAKDOWN)


def test_without_one_before_the_refusal_is_what_a_request_is_told(tmp_path):
    models = models_of(tmp_path)
    publish(tmp_path, FEWER)
    models.look()
    with pytest.raises(NoModelError, match="was not loaded: ManifestMismatchError"):
        models.current(BREAKDOWN)


def test_a_model_file_that_was_changed_is_not_loaded(tmp_path):
    path = tmp_path / "breakdown" / str(publish(tmp_path, BREAKDOWN))
    (path / "model.onnx").write_bytes((path / "model.onnx").read_bytes() + b" ")
    with pytest.raises(ManifestMismatchError, match="digest"):
        load_model(path, BREAKDOWN)


def test_a_damaged_manifest_is_not_loaded(tmp_path):
    path = tmp_path / "breakdown" / str(publish(tmp_path, BREAKDOWN))
    (path / "manifest.json").write_text("{")
    with pytest.raises(FormatVersionError):
        load_model(path, BREAKDOWN)


@pytest.mark.parametrize("text", ["newest", "99", ""])
def test_an_alias_that_names_no_version_leaves_the_one_before(tmp_path, text):
    models = models_of(tmp_path)
    publish(tmp_path, BREAKDOWN)
    models.look()
    (tmp_path / "breakdown" / "aliases" / "champion").write_text(text)
    models.look()
    assert models.current(BREAKDOWN).version == 1
    assert models.refusals
