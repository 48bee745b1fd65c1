"""Models come and go in the registry while requests are answered."""

import asyncio
import math
import os
import shutil
import threading
from dataclasses import replace

import pytest
from structlog.testing import capture_logs

from serving.errors import NoModelError
from serving.models import registry_models
from serving.models.model import load_model
from serving.models.refused_models import RefusedModel
from serving.models.registry_models import RegistryModels
from shared_features.definitions import FeatureView
from shared_features.errors import FormatVersionError, ManifestMismatchError
from shared_features.formats.model_manifest import decode_manifest, encode_manifest, stamp_view
from tests.domains.machines import BREAKDOWN, HOT_PLANT
from tests.serving.conftest import INSTANCE
from tests.serving.published_models import logarithm, patient, publish
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
            seen: list[tuple[int, float]] = []
            publishing.start()
            async with asyncio.timeout(60):
                while not seen or seen[-1][0] != 2:
                    answer = await client.post(PATH, json={"instances": [INSTANCE]})
                    assert answer.status_code == 200
                    seen.append((answer.json()["model"]["version"], answer.json()["predictions"][0]["score"]))
                    await asyncio.sleep(0.02)
            publishing.join()
            return seen

    seen = asyncio.run(swap())
    assert [version for version, _ in seen] == sorted(version for version, _ in seen)
    assert {version for version, _ in seen} == {1, 2}
    assert len(set(seen)) == 2  # each version has its own score, and only that


def test_a_model_that_is_not_called_like_its_view_answers_where_a_setting_says_so(tmp_path):
    publish(tmp_path, BREAKDOWN, model="breaks", promote=False)
    Aliases(Registry(tmp_path)).promote("breaks", 1)
    unnamed = models_of(tmp_path)
    unnamed.look()
    with pytest.raises(
        NoModelError, match=r'breaks is a model of it.*MILLRACE_ANSWERING_MODELS={"breakdown": "breaks"}'
    ):
        unnamed.current(BREAKDOWN)
    named = RegistryModels(tmp_path, [BREAKDOWN], "champion", 60.0, models={"breakdown": "breaks"})
    named.look()
    assert (named.current(BREAKDOWN).name, named.answering("breakdown")) == ("breaks", BREAKDOWN)
    (tmp_path / "breaks" / "aliases" / "champion").write_text("7")
    named.look()
    assert named.refused()[0].startswith(
        "Model breaks 7 of view breakdown:v1 was refused, model breaks 1 still answers"
    )


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
    assert [says in each.reason for each in models.refusals.all()] == [True]
    Aliases(Registry(tmp_path)).promote("breakdown", 1)
    models.look()
    assert models.refusals.all() == []


def test_a_model_of_the_same_names_with_another_meaning_is_not_loaded(tmp_path):
    other = FeatureView("breakdown", 1, BREAKDOWN.source, BREAKDOWN.features, None)
    version = publish(tmp_path, BREAKDOWN, view=stamp_view(other))
    with pytest.raises(ManifestMismatchError, match=r"labels were added\. Train a new model"):
        load_model(tmp_path / "breakdown" / str(version), BREAKDOWN)


def test_without_one_before_the_refusal_is_what_a_request_is_told(tmp_path):
    models = models_of(tmp_path)
    publish(tmp_path, FEWER)
    models.look()
    with pytest.raises(NoModelError, match="was not loaded: ManifestMismatchError") as error:
        models.current(BREAKDOWN)
    assert str(tmp_path) not in error.value.detail, "a client learns no path of the server"


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


@pytest.fixture
def loads(monkeypatch):
    """The directories that were loaded."""
    loaded = []

    def counting(directory, view, row_within_s):
        loaded.append(directory.name)
        return load_model(directory, view, row_within_s)

    monkeypatch.setattr(registry_models, "load_model", counting)
    return loaded


def copied(registry):
    """`cp -r 1 5`, and the alias by hand."""
    shutil.copytree(registry / "breakdown" / "1", registry / "breakdown" / "5")
    (registry / "breakdown" / "aliases" / "champion").write_text("5\n")


def renumbered(registry):
    """A manifest that says another number than its directory."""
    path = registry / "breakdown" / str(publish(registry, BREAKDOWN, 1)) / "manifest.json"
    manifest = decode_manifest(path.read_bytes())
    path.write_bytes(encode_manifest(replace(manifest, version=7)))


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (copied, "breakdown/5 holds the manifest of model breakdown 1."),
        (renumbered, "breakdown/2 holds the manifest of model breakdown 7."),
    ],
)
def test_a_version_under_another_number_is_refused_by_name_and_not_loaded_each_second(tmp_path, loads, spoil, says):
    """It answered as 1, and was loaded anew at each look."""
    models = models_of(tmp_path)
    publish(tmp_path, BREAKDOWN)
    models.look()
    spoil(tmp_path)
    for _ in range(5):
        models.look()
    assert models.current(BREAKDOWN).version == 1
    (said,) = models.refused()
    assert says in said
    assert "model breakdown 1 still answers" in said
    assert len(loads) == 2


def test_a_refusal_is_told_once_and_again_when_the_version_is_promoted_again(tmp_path):
    told, ended = list[RefusedModel](), list[RefusedModel]()
    models = RegistryModels(tmp_path, [BREAKDOWN], "champion", 60.0, refused=told.append, refusal_ended=ended.append)
    publish(tmp_path, BREAKDOWN)
    version = publish(tmp_path, FEWER)
    with capture_logs() as lines:
        for _ in range(3):
            models.look()
        for again in (1, version):  # between two looks
            Aliases(Registry(tmp_path)).promote("breakdown", again)
        os.utime(
            tmp_path / "breakdown" / "aliases" / "champion", (1, 1)
        )  # a clock may be coarse, and an inode used again
        for _ in range(3):
            models.look()
    assert [(each.model, each.version, each.kind) for each in told] == [("breakdown", "2", "ManifestMismatchError")] * 2
    assert [line["version"] for line in lines if line["log_level"] == "error"] == ["2", "2"]
    assert ended == []
    Aliases(Registry(tmp_path)).promote("breakdown", 1)
    models.look()
    assert ended == told[:1]
    assert models.refused() == []


def test_a_version_that_cannot_be_read_for_a_while_is_loaded_when_it_can(tmp_path):
    """A share that is away, or a copy of the registry that is not complete yet."""
    models = models_of(tmp_path)
    graph = tmp_path / "breakdown" / str(publish(tmp_path, BREAKDOWN)) / "model.onnx"
    held = graph.rename(tmp_path / "away")
    models.look()
    assert "The file model.onnx cannot be read" in models.refused()[0]
    held.rename(graph)
    models.look()
    assert models.current(BREAKDOWN).version == 1
    assert models.refused() == []


def test_a_model_that_never_gives_a_number_is_not_loaded(tmp_path):
    models = models_of(tmp_path)
    publish(tmp_path, BREAKDOWN, graph=logarithm(times=math.nan))
    models.look()
    with pytest.raises(NoModelError, match="gives no number"):
        models.current(BREAKDOWN)


@pytest.mark.parametrize("text", ["newest", "99", ""])
def test_an_alias_that_names_no_version_leaves_the_one_before(tmp_path, text):
    models = models_of(tmp_path)
    publish(tmp_path, BREAKDOWN)
    models.look()
    (tmp_path / "breakdown" / "aliases" / "champion").write_text(text)
    models.look()
    assert models.current(BREAKDOWN).version == 1
    (refused,) = models.refusals.all()
    assert str(tmp_path) not in refused.reason  # which requests are told
    assert "Promote a version" in refused.reason or "cannot be read (No such file or directory)" in refused.reason


def test_a_model_that_takes_longer_for_one_instance_than_a_request_may_is_refused_and_the_one_before_goes_on(tmp_path):
    models = RegistryModels(tmp_path, [BREAKDOWN], "champion", 0.05, row_within_s=0.2)
    publish(tmp_path, BREAKDOWN)
    models.look()
    publish(tmp_path, BREAKDOWN, graph=patient(10**12))
    models.look()
    assert models.current(BREAKDOWN).version == 1
    (said,) = models.refused()
    assert "Model breakdown 2 takes longer than 0.2 s for one instance" in said
    assert "MILLRACE_SERVING_MODEL_DEADLINE_MS" in said
