from __future__ import annotations

import threading
from dataclasses import replace
from pathlib import Path

import pytest

from shared_features.formats.model_manifest import decode_manifest
from streaming.operations.registry_look import RegistryLook
from streaming.settings import load_settings
from tests.shared_features.formats.test_dataset_manifest import DATASET
from tests.shared_features.formats.test_model_manifest import MANIFEST
from tests.training.registry.test_versions import publish
from training.errors import RegistryError
from training.registry.aliases import Aliases
from training.registry.deletion import Deleted, delete_version
from training.registry.registry_log import Append
from training.registry.storage.registry_store import Change
from training.registry.versions import Registry

HELD_US = DATASET.split.start_us
OF_MODEL = "the dataset of model card_fraud version"


@pytest.fixture
def registry(tmp_path: Path) -> Registry:
    """Champion is 3, a roll-back returns to 2; 4 is the challenger."""
    registry = Registry(tmp_path)
    for digest in ("d1", "d2", "d3", "d4"):
        publish(registry, digest)
    for version in (1, 2, 3):
        Aliases(registry).promote("card_fraud", version)
    Aliases(registry).promote("card_fraud", 4, "challenger")
    return registry


@pytest.mark.parametrize(
    ("version", "says"),
    [
        (3, r"Version 3 of card_fraud cannot be deleted\. Its alias champion names .* promote card_fraud VERSION`"),
        (4, r"Its alias challenger names .* promote card_fraud VERSION --alias challenger`"),
        (2, r"A roll-back of champion from version 3 returns to it\. Promote a newer version first"),
    ],
)
def test_a_version_that_an_alias_or_a_roll_back_needs_stays(registry: Registry, version: int, says: str) -> None:
    with pytest.raises(RegistryError, match=says):
        delete_version(registry, "card_fraud", version)
    assert registry.versions("card_fraud") == [1, 2, 3, 4]
    assert not [each for each in registry.log.changes() if each.action == "delete"]


def test_a_deleted_version_leaves_its_manifest_a_line_of_the_log_and_its_number(registry: Registry) -> None:
    manifest = registry.manifest("card_fraud", 1)
    delete_version(registry, "card_fraud", 1, "too old", "ada")
    assert registry.versions("card_fraud") == [2, 3, 4]
    model = Path(registry.store.address) / "card_fraud"
    assert sorted(each.name for each in model.iterdir()) == ["2", "3", "4", "aliases", "deleted"]
    assert decode_manifest((model / "deleted" / "1.json").read_bytes()) == manifest
    change = registry.log.changes()[-1]
    assert (change.action, change.version, change.who, change.why) == ("delete", 1, "ada", "too old")
    with pytest.raises(RegistryError, match="no version 1"):
        delete_version(registry, "card_fraud", 1)


def test_the_number_of_a_deleted_version_is_not_given_again(tmp_path: Path) -> None:
    """Receipts of predictions name it."""
    registry = Registry(tmp_path)
    publish(registry, "d1")
    publish(registry, "d2")
    delete_version(registry, "card_fraud", 2)
    assert publish(registry, "d3").version == 3


def test_a_deletion_says_whether_retention_is_still_held_back_and_retention_sees_it(registry: Registry) -> None:
    assert delete_version(registry, "card_fraud", 1) == Deleted(HELD_US, ("card_fraud", 2))
    older = replace(DATASET, split=replace(DATASET.split, start_us=HELD_US - 1))
    registry.publish(replace(MANIFEST, model_digest="d5"), b"graph", {}, older)
    look = RegistryLook(load_settings(registry=Path(registry.store.address)))
    assert {str(each): each.start_us for each in look.datasets()}[f"{OF_MODEL} 5"] == HELD_US - 1
    assert delete_version(registry, "card_fraud", 5) == Deleted(HELD_US - 1, None)
    assert [str(each) for each in look.datasets()] == [f"{OF_MODEL} {version}" for version in (2, 3, 4)]


def test_a_promotion_and_a_deletion_at_once_never_leave_an_alias_without_its_version(tmp_path: Path) -> None:
    """The look at the aliases and the removal are one step to everybody who moves them."""
    registry = Registry(tmp_path)
    publish(registry, "d1")
    publish(registry, "d2")
    failed = []

    def promote() -> None:
        try:
            Aliases(Registry(tmp_path)).promote("card_fraud", 2)
        except RegistryError as error:
            failed.append(str(error))

    def delete(change: Change, append: Append) -> None:
        other.start()
        other.join(0.2)
        assert other.is_alive(), "it waits for the registry"
        registry.delete("card_fraud", 2, change)

    other = threading.Thread(target=promote)
    registry.log.change(delete)
    other.join(60)
    assert "no version 2" in failed[0]
    assert Aliases(registry).of("card_fraud") == {}
