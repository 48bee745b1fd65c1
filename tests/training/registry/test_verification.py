from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from shared_features.formats.model_manifest import MANIFEST_FILE, MODEL_FILE
from shared_features.formats.registry_log import LOG_FILE
from tests.training.registry.sound_versions import MODEL, publish_sound
from training.durable_files import replace_file
from training.registry.aliases import Aliases
from training.registry.verification import registry_faults, verify_all, verify_version
from training.registry.versions import Registry


@pytest.fixture
def registry(tmp_path: Path) -> Registry:
    registry = Registry(tmp_path)
    publish_sound(registry)
    return registry


def test_a_version_as_it_was_published_has_no_fault(registry: Registry) -> None:
    found = verify_version(registry, MODEL, 1)
    assert (found.files, found.faults, found.unsealed) == (4, (), ())
    assert verify_all(registry) == ([found], [])


def _flip(name: str) -> Callable[[Path], None]:
    def flip(path: Path) -> None:
        content = bytearray((path / name).read_bytes())
        content[len(content) // 2] ^= 1
        (path / name).write_bytes(content)

    return flip


def _change(**changed: object) -> Callable[[Path], None]:
    def change(path: Path) -> None:
        manifest = json.loads((path / MANIFEST_FILE).read_bytes())
        (path / MANIFEST_FILE).write_text(json.dumps({**manifest, **changed}))

    return change


@pytest.mark.parametrize(
    ("harm", "says"),
    [
        (_flip("model.onnx"), r"model\.onnx has the digest [0-9a-f]{12}, and the manifest says"),
        (_flip("metrics.json"), r"metrics\.json has the digest"),
        (_flip("dataset.json"), r"dataset\.json has the digest"),
        (lambda path: (path / MODEL_FILE).unlink(), r"model\.onnx is missing\. Restore the version's folder"),
        (lambda path: (path / "more.bin").touch(), r"more\.bin is not a file of this version"),
        (_change(created_at_us=1), r"manifest\.json has the digest [0-9a-f]{12}, and the log says"),
        (_change(version=2), r"manifest\.json is that of card_fraud 2"),
        (_change(output_name="value"), r"has no output 'value'\. It has score"),
        (_change(dataset_digest="00"), r"dataset\.json is that of other rows"),
        (
            _change(parity={"cases": 0, "worst_difference": 0.0, "tolerance": 1e-5, "on_demand_cases": 0}),
            "The certificate is missing",
        ),
        (
            _change(parity={"cases": 9, "worst_difference": 0.1, "tolerance": 1e-5, "on_demand_cases": 0}),
            r"The certificate failed: the worst difference is 0\.1",
        ),
        (lambda path: (path / MANIFEST_FILE).write_text("{"), r"manifest\.json is not a model manifest"),
    ],
)
def test_whatever_was_changed_since_is_named(registry: Registry, harm: Callable[[Path], None], says: str) -> None:
    harm(Path(registry.where(MODEL, 1)))
    faults = verify_version(registry, MODEL, 1).faults
    assert any(re.search(says, each) for each in faults), faults


def test_a_version_of_an_older_release_is_verified_as_far_as_it_has_digests(registry: Registry) -> None:
    _change(files={})(Path(registry.where(MODEL, 1)))
    (Path(registry.store.address) / LOG_FILE).unlink()
    found = verify_version(registry, MODEL, 1)
    assert (found.faults, found.unsealed) == ((), ("dataset.json", "metrics.json"))
    _flip("model.onnx")(Path(registry.where(MODEL, 1)))
    assert verify_version(registry, MODEL, 1).faults


def test_aliases_and_the_log_are_verified_too(registry: Registry) -> None:
    Aliases(registry).promote(MODEL, 1)
    assert registry_faults(registry) == []
    replace_file(Path(registry.store.address) / MODEL / "aliases" / "champion", b"7\n")
    with (Path(registry.store.address) / LOG_FILE).open("ab") as file:
        file.write(b"no json\n")
    assert [each.split(".")[0] for each in registry_faults(registry)] == [
        "The log log",
        "champion of card_fraud names version 7, which is missing",
        "champion of card_fraud names version 7, and the log says 1",
    ]
