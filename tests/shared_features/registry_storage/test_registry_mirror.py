"""A service lives on what it has copied: storage that is gone or damaged stops nothing that answers."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from serving.errors import NoModelError
from serving.log import get_log
from serving.models.registry_models import RegistryModels
from shared_features.errors import RegistryStorageError
from shared_features.formats.model_manifest import CHAMPION, MANIFEST_FILE, TREES_FILE
from shared_features.registry_storage import registry_mirror
from shared_features.registry_storage.folder_reader import FolderReader
from shared_features.registry_storage.reader import Stored
from shared_features.registry_storage.registry_mirror import RegistryMirror, mirror_folder
from tests.domains.machines import BREAKDOWN
from tests.serving.published_models import boosted, publish
from training.registry.aliases import Aliases
from training.registry.versions import Registry

MODEL = "breakdown"


class Unsteady(FolderReader):
    """A registry that can be cut off. reads: what was asked for."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.is_cut_off, self.reads = False, list[str]()

    def read(self, key: str, known: Stored | None = None) -> Stored | None:
        self.reads.append(key)
        if self.is_cut_off:
            raise RegistryStorageError("The registry s3://models cannot be used. Its storage does not answer.")
        return super().read(key, known)


@pytest.fixture
def storage(tmp_path: Path) -> Unsteady:
    return Unsteady(tmp_path / "storage")


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    return tmp_path / "cache"


def models_of(storage: Unsteady, cache: Path) -> RegistryModels:
    """Of a process that begins now."""
    log = get_log("test")
    return RegistryModels(RegistryMirror(storage, cache, CHAMPION, log.warning, log.info), [BREAKDOWN], CHAMPION, 60.0)


def version(models: RegistryModels) -> int:
    models.look()
    return models.current(BREAKDOWN).version


def test_the_alias_is_followed_and_its_end_leaves_the_model_that_answers(storage: Unsteady, cache: Path) -> None:
    models, aliases = models_of(storage, cache), Aliases(Registry(storage.folder))
    models.look()
    with pytest.raises(NoModelError, match="No model of view breakdown:v1 has the alias 'champion' yet"):
        models.current(BREAKDOWN)
    publish(storage.folder, BREAKDOWN)
    assert version(models) == 1
    publish(storage.folder, BREAKDOWN, 1)
    assert version(models) == 2
    aliases.roll_back(MODEL)
    assert version(models) == 1
    (storage.folder / MODEL / "aliases" / CHAMPION).unlink()
    assert version(models) == 1
    assert not (cache / MODEL / "aliases" / CHAMPION).exists()


def test_storage_that_is_cut_off_is_named_once_and_stops_nothing(storage: Unsteady, cache: Path) -> None:
    publish(storage.folder, BREAKDOWN)
    models = models_of(storage, cache)
    assert version(models) == 1
    publish(storage.folder, BREAKDOWN, 1)
    storage.is_cut_off = True
    with capture_logs() as lines:
        assert [version(models), version(models)] == [1, 1]
        (said,) = models.waiting()
        storage.is_cut_off = False
        assert version(models) == 2
    assert said.startswith(
        "The registry s3://models cannot be used. Its storage does not answer. New versions have not"
    )
    assert models.waiting() == []
    events = [each["event"] for each in lines]
    assert events == ["doing without the model registry", "reading the model registry again", "switched to model"]


def test_trees_are_asked_for_where_the_manifest_names_them(storage: Unsteady, cache: Path) -> None:
    """Storage was asked for the trees of versions that have none."""
    publish(storage.folder, BREAKDOWN)
    assert version(models_of(storage, cache)) == 1
    assert [each for each in storage.reads if each.startswith(f"{MODEL}/1/")] == [
        f"{MODEL}/1/manifest.json",
        f"{MODEL}/1/model.onnx",
    ]


def test_a_process_starts_with_what_another_one_copied(storage: Unsteady, cache: Path) -> None:
    publish(storage.folder, BREAKDOWN)
    assert version(models_of(storage, cache)) == 1
    storage.is_cut_off = True
    models = models_of(storage, cache)
    models.start()
    try:
        assert models.current(BREAKDOWN).version == 1
    finally:
        models.stop()


def test_without_a_copy_the_answer_says_what_the_storage_does(storage: Unsteady, cache: Path) -> None:
    storage.is_cut_off = True
    models = models_of(storage, cache)
    models.look()
    with pytest.raises(NoModelError, match=r"was loaded yet\. The registry s3://models cannot be used"):
        models.current(BREAKDOWN)


def test_a_copy_that_was_harmed_is_made_again_and_never_answers(storage: Unsteady, cache: Path) -> None:
    publish(storage.folder, BREAKDOWN)
    assert version(models_of(storage, cache)) == 1
    graph = cache / MODEL / "1" / "model.onnx"
    sound = graph.read_bytes()
    graph.write_bytes(sound[:-1])
    storage.is_cut_off = True
    models = models_of(storage, cache)
    models.look()
    assert "is not the file that was published" in models.refused()[0]
    storage.is_cut_off = False
    assert version(models) == 1
    assert graph.read_bytes() == sound
    shutil.rmtree(cache / MODEL / "1")
    assert version(models) == 1
    assert graph.read_bytes() == sound
    assert [each.name for each in (cache / MODEL).iterdir() if each.name.startswith(".")] == []


def test_the_trees_of_a_version_are_copied_with_it_and_again_where_they_were_harmed(
    storage: Unsteady, cache: Path
) -> None:
    publish(storage.folder, BREAKDOWN, graph=boosted(len(BREAKDOWN.columns)), rows_share_runs=True)
    models = models_of(storage, cache)
    assert version(models) == 1
    assert models.current(BREAKDOWN).trees is not None
    file = cache / MODEL / "1" / TREES_FILE
    sound = file.read_bytes()
    file.write_bytes(sound[:-1])
    assert version(models_of(storage, cache)) == 1
    assert file.read_bytes() == sound


def test_a_version_whose_trees_are_missing_in_the_storage_answers_with_its_graph(
    storage: Unsteady, cache: Path
) -> None:
    publish(storage.folder, BREAKDOWN, graph=boosted(len(BREAKDOWN.columns)), rows_share_runs=True)
    trees = storage.folder / MODEL / "1" / TREES_FILE
    trees.write_bytes(b"others")
    models = models_of(storage, cache)
    models.look()
    assert "Model breakdown 1 cannot be used" in models.refused()[0]
    trees.unlink()
    models = models_of(storage, cache)
    assert version(models) == 1
    assert models.current(BREAKDOWN).trees is None
    assert not (cache / MODEL / "1" / TREES_FILE).exists()


@pytest.mark.parametrize("harm", ["harmed", "missing"])
def test_a_version_that_is_damaged_in_the_storage_is_refused_and_not_fetched_each_time(
    storage: Unsteady, cache: Path, harm: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish(storage.folder, BREAKDOWN)
    models = models_of(storage, cache)
    assert version(models) == 1
    publish(storage.folder, BREAKDOWN, 1)
    graph = storage.folder / MODEL / "2" / "model.onnx"
    sound = graph.read_bytes()
    graph.unlink() if harm == "missing" else graph.write_bytes(b"not the graph")
    assert [version(models), version(models)] == [1, 1]
    assert "Model breakdown 2 cannot be used" in models.refused()[0]
    assert storage.reads.count(f"{MODEL}/2/model.onnx") == 1
    graph.write_bytes(sound)
    monkeypatch.setattr(registry_mirror, "_TRIED_AGAIN_S", 0.0)
    assert version(models) == 2
    assert models.refused() == []


@pytest.mark.parametrize("harm", [b"", b"[" * 100_000], ids=["nothing", "deep"])
def test_a_manifest_that_cannot_be_read_is_refused_and_not_fetched_each_time(
    storage: Unsteady, cache: Path, harm: bytes
) -> None:
    publish(storage.folder, BREAKDOWN)
    models = models_of(storage, cache)
    assert version(models) == 1
    publish(storage.folder, BREAKDOWN, 1)
    (storage.folder / MODEL / "2" / MANIFEST_FILE).write_bytes(harm)
    assert [version(models), version(models)] == [1, 1]
    assert "Model breakdown 2 cannot be used" in models.refused()[0]
    assert storage.reads.count(f"{MODEL}/2/{MANIFEST_FILE}") == 1


def test_of_old_versions_the_newest_two_and_those_with_an_alias_are_kept(storage: Unsteady, cache: Path) -> None:
    for seed in range(5):
        publish(storage.folder, BREAKDOWN, seed)
    champion, challenger = (RegistryMirror(storage, cache, each) for each in (CHAMPION, "challenger"))
    aliases = Aliases(Registry(storage.folder))
    aliases.promote(MODEL, 1, "challenger")
    challenger.fetch(MODEL)
    for each in (2, 3, 4, 5):
        aliases.promote(MODEL, each)
        champion.fetch(MODEL)
    assert sorted(each.name for each in (cache / MODEL).iterdir()) == ["1", "4", "5", "aliases"]


def test_each_registry_has_a_folder_of_its_own(tmp_path: Path) -> None:
    ours, theirs = (mirror_folder(tmp_path, url) for url in ("s3://models/ours", "s3://models/theirs"))
    assert ours.parent == theirs.parent == tmp_path
    assert ours != theirs


def test_storage_that_did_not_answer_is_left_alone_for_a_while(storage: Unsteady, cache: Path) -> None:
    mirror = RegistryMirror(storage, cache, CHAMPION, again_s=3600.0)
    storage.is_cut_off = True
    for _ in range(3):
        mirror.fetch(MODEL)
    assert len(storage.reads) == 1
