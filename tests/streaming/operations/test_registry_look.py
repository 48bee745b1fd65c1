"""What the registry still needs. Whatever cannot be read may need anything, so it is refused, never passed over."""

from dataclasses import replace
from pathlib import Path

import pytest

from shared_features.errors import FormatVersionError
from shared_features.formats.dataset_manifest import (
    PINNED_FOLDER,
    PinnedVersion,
    encode_dataset_manifest,
)
from shared_features.formats.dataset_rows import BroughtSpine
from shared_features.formats.model_manifest import encode_manifest
from streaming.errors import RefusedError
from streaming.operations.registry_look import PinnedDataset, RegistryLook
from streaming.settings import load_settings
from tests.shared_features.formats.test_dataset_manifest import DATASET
from tests.shared_features.formats.test_model_manifest import MANIFEST


def look(registry: Path, **settings: object) -> RegistryLook:
    return RegistryLook(load_settings(registry=registry, **settings))


def publish(registry: Path, model: str, version: int, start_us: int = 1) -> Path:
    folder = registry / model / str(version)
    folder.mkdir(parents=True)
    dataset = replace(
        DATASET,
        split=replace(DATASET.split, start_us=start_us),
        cut_us=start_us + 9,
        tables={"events_readings": PinnedVersion(7, ("a.parquet", "b.parquet"))},
    )
    (folder / "dataset.json").write_bytes(encode_dataset_manifest(dataset))
    (folder / "manifest.json").write_bytes(encode_manifest(replace(MANIFEST, model=model, version=version)))
    return folder


def name(registry: Path, model: str, alias: str, text: str) -> None:
    (registry / model / "aliases").mkdir(exist_ok=True)
    (registry / model / "aliases" / alias).write_text(text)


def test_every_version_pins_its_data_whether_an_alias_names_it_or_not(tmp_path: Path) -> None:
    for model, version in (("b", 10), ("b", 9), ("a", 1)):
        publish(tmp_path, model, version, start_us=version)
    files = {"events_readings": ("a.parquet", "b.parquet")}
    assert list(look(tmp_path).datasets()) == [
        PinnedDataset(f"the dataset of model {model} version {version}", version, version + 9, files)
        for model, version in (("a", 1), ("b", 9), ("b", 10))
    ]


def test_a_dataset_that_a_user_pinned_is_needed_like_that_of_a_version(tmp_path: Path) -> None:
    lake = tmp_path / "lake"
    (lake / PINNED_FOLDER).mkdir(parents=True)
    pinned = replace(DATASET, spine=BroughtSpine(1, "ab" * 32, "as-served", 0))
    file = lake / PINNED_FOLDER / "breakdown-abababab.json"
    file.write_bytes(encode_dataset_manifest(pinned))
    (found,) = look(tmp_path / "registry", lake=lake).datasets()
    assert str(found) == "the pinned dataset breakdown-abababab"
    assert (found.start_us, found.cut_us) == (DATASET.split.start_us, DATASET.cut_us)
    assert found.replayed == ("machine_heat:v3",)
    file.write_text("{")
    with pytest.raises(RefusedError, match=f"a pinned dataset needs is unknown, .* remove the file {file}"):
        list(look(tmp_path / "registry", lake=lake).datasets())


def test_a_version_whose_data_cannot_be_known_is_refused_and_named(tmp_path: Path) -> None:
    folder = publish(tmp_path, "a", 3)
    for damage in (b"{", b"", None):
        if damage is None:
            (folder / "dataset.json").unlink()
        else:
            (folder / "dataset.json").write_bytes(damage)
        with pytest.raises(RefusedError, match=f"nothing can be deleted: .* remove the version {folder}"):
            list(look(tmp_path).datasets())


def test_the_models_behind_aliases_are_found_and_files_on_their_way_are_not_aliases(tmp_path: Path) -> None:
    publish(tmp_path, "a", 3)
    publish(tmp_path, "a", 4)
    name(tmp_path, "a", "champion", "4\n")
    name(tmp_path, "a", "tried", "3")
    name(tmp_path, "a", ".champion.tmp", "no version")
    assert [(each.alias, each.manifest.version) for each in look(tmp_path).served()] == [("champion", 4), ("tried", 3)]


def test_an_alias_that_leads_nowhere_is_refused(tmp_path: Path) -> None:
    folder = publish(tmp_path, "a", 3)
    name(tmp_path, "a", "champion", "5\n")
    with pytest.raises(RefusedError, match=r"Alias .*champion does not lead to a model .* Promote a version"):
        list(look(tmp_path).served())
    name(tmp_path, "a", "champion", "3\n")
    (folder / "manifest.json").write_text("{")
    with pytest.raises(FormatVersionError):
        list(look(tmp_path).served())


def test_a_registry_that_is_not_mounted_looks_empty_and_is_said_to_be(tmp_path: Path) -> None:
    (tmp_path / "lost+found").write_text("")
    for registry in (tmp_path, tmp_path / "nowhere", tmp_path / "lost+found"):
        assert "is empty or missing" in str(look(registry).missing)
        assert look(registry, without_registry=True).missing is None
    publish(tmp_path, "a", 1)
    assert look(tmp_path).missing is None
