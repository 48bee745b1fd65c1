"""What the gate decided is kept with the version, in a folder and in the log; a version itself never changes."""

from __future__ import annotations

import hashlib
import json
import shutil
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from shared_features.errors import FormatVersionError
from shared_features.formats.json_document import encode_document
from tests.training.registry.sound_versions import MODEL, publish_sound
from training.errors import RegistryError
from training.registry.aliases import Aliases
from training.registry.deletion import delete_version
from training.registry.gate.verdicts import keep_verdict, kept_verdict, verdict_facts, verdict_faults
from training.registry.storage.folder_store import FolderChange
from training.registry.verification import verify_version
from training.registry.version_facts import facts_of_version
from training.registry.versions import Registry
from training.runs.actions.registry_steps import carry_out


@pytest.fixture
def registry(tmp_path: Path) -> Registry:
    """A minute passes whenever somebody looks at its clock, so nobody waits for a gate."""
    registry = Registry(tmp_path, partial(next, count(1e9, 60)))
    publish_sound(registry)
    return registry


def asked(found: str = "roc_auc 0.4 is below its floor 0.5", took: str = "9 us", **others: Any) -> dict[str, Any]:
    """What a gate decided that refuses."""
    checks = [
        {"asked": "roc_auc >= 0.5", "found": found, "passed": "below" not in found, "warns": False},
        {"asked": "one row <= 2 times the champion's", "found": took, "passed": True, "warns": True},
    ]
    promoted = all(each["passed"] for each in checks)
    return {
        "model": MODEL, "version": 1, "champion_before": None, "promoted": promoted, "reasons": [found],
        "checks": checks, **others,
    }  # fmt: skip


def test_a_verdict_is_kept_logged_and_told_and_the_version_stays_as_it_was_published(registry: Registry) -> None:
    assert kept_verdict(registry, MODEL, 1) is None
    assert verdict_facts(registry, MODEL, 1)["verdict"].startswith("none is kept")
    before = {name: registry.read(MODEL, 1, name) for name in registry.files(MODEL, 1)}

    assert keep_verdict(registry, asked(), "a test", "ada")
    kept = kept_verdict(registry, MODEL, 1)
    assert kept is not None
    assert {name: kept[name] for name in asked()} == asked()
    line = registry.log.changes()[-1]
    assert (line.who, line.action, line.model, line.version) == ("ada", "gate", MODEL, 1)
    assert line.why == "stays a challenger: roc_auc 0.4 is below its floor 0.5"
    facts = verdict_facts(registry, MODEL, 1)
    assert (facts["verdict"], facts["beside"], facts["asked by"]) == ("stays a challenger", "no champion", "a test")
    assert facts["roc_auc >= 0.5"] == "fail: roc_auc 0.4 is below its floor 0.5"
    assert {name: registry.read(MODEL, 1, name) for name in registry.files(MODEL, 1)} == before
    assert verify_version(registry, MODEL, 1).faults == ()


def test_a_gate_that_is_asked_again_is_kept_where_it_says_something_else(registry: Registry) -> None:
    assert keep_verdict(registry, asked(), "a test")
    assert not keep_verdict(registry, asked(took="11 us"), "a test"), "a time differs by chance"
    assert keep_verdict(registry, asked("roc_auc 0.4"), "lower floors")
    assert keep_verdict(registry, asked("roc_auc 0.4", champion_before=7), "another champion")
    assert not keep_verdict(registry, asked(champion_before=1), "of the champion itself nothing is asked")
    kept = kept_verdict(registry, MODEL, 1)
    assert kept is not None
    assert (kept["champion_before"], kept["promoted"]) == (7, True)
    assert [each.action for each in registry.log.changes()] == ["publish", "gate", "gate", "gate"]


@pytest.mark.parametrize("harm", [b"{}", b"no JSON", None])
def test_a_verdict_that_was_changed_is_a_fault_until_the_gate_is_asked_again(
    registry: Registry, harm: bytes | None
) -> None:
    keep_verdict(registry, asked(), "a test")
    file = Path(registry.where(MODEL, 1)).parent / "verdicts" / "1.json"
    if harm is None:
        file.unlink()
    else:
        file.write_bytes(harm)
    (fault,) = verify_version(registry, MODEL, 1).faults
    assert "is not the one of which the log says" in fault
    assert keep_verdict(registry, asked(), "a test")
    assert verify_version(registry, MODEL, 1).faults == ()
    assert json.loads(file.read_bytes())["reasons"] == asked()["reasons"]


HARM = [b"", b"{", b"{}", b"[]", b"null", b"\xff", b'{"schema_version": 2}', b'{"promoted": true, "checks": [{}]}']


@pytest.mark.parametrize("harm", HARM)
@pytest.mark.parametrize("is_logged", [False, True])
def test_a_verdict_that_cannot_be_read_is_told_in_a_line_and_counts_as_none(
    registry: Registry, harm: bytes, is_logged: bool
) -> None:
    """`registry show` and `diff`, and the next run of the gate, ended with a traceback."""
    keep_verdict(registry, asked(), "a test")
    (Path(registry.where(MODEL, 1)).parent / "verdicts" / "1.json").write_bytes(harm)
    if not is_logged:
        Path(registry.store.where("log.jsonl")).unlink()
    with pytest.raises(FormatVersionError, match=r"verdicts/1\.json .*ublish the model again"):
        kept_verdict(registry, MODEL, 1)
    facts = facts_of_version(registry, MODEL, 1)["gate"]
    assert list(facts) == ["verdict"]
    assert facts["verdict"].startswith("none that can be read. ")
    (fault,) = verify_version(registry, MODEL, 1).faults
    assert ("has no line in the log", "is not the one of which the log says")[is_logged] in fault
    assert keep_verdict(registry, asked(), "a test")
    assert verify_version(registry, MODEL, 1).faults == ()


def test_a_run_that_goes_on_with_an_older_decision_leaves_a_newer_verdict_and_the_alias_alone(
    registry: Registry,
) -> None:
    """A run was killed when it had decided, the gate was asked again, with other limits, and refused the version."""
    old = asked("roc_auc 0.6", asked_at="2026-11-30T10:00:00Z")
    assert keep_verdict(registry, asked(asked_at="2026-11-30T10:00:00.5Z"), "publish m.onnx")
    assert not keep_verdict(registry, old, "training run K")
    assert verdict_facts(registry, MODEL, 1)["asked by"] == "publish m.onnx"
    assert verdict_facts(registry, MODEL, 1)["asked at"] == "2026-11-30T10:00:00.500000Z"
    said = carry_out(old, registry)
    assert "stays a challenger: the gate was asked again at 2026-11-30T10:00:00.500000Z, by publish m.onnx: roc" in said
    assert Aliases(registry).of(MODEL) == {}
    newest = asked("roc_auc 0.7", asked_at="2026-11-30T11:00:00Z")
    assert keep_verdict(registry, newest, "training run L")
    assert "version 1 is champion" in carry_out(newest, registry)


def test_a_verdict_of_a_champion_that_was_never_written_whole_is_written_when_the_model_is_published_again(
    registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`verify` failed for ever, and what it told to do did nothing: of a champion the gate asks nothing."""
    with monkeypatch.context() as killed:
        killed.setattr(FolderChange, "replace", _die)
        with pytest.raises(KeyboardInterrupt):
            keep_verdict(registry, asked("roc_auc 0.6"), "a run")
    Aliases(registry).promote(MODEL, 1)
    assert "a process was killed" in verify_version(registry, MODEL, 1).faults[0]
    champion = asked("it is champion already", champion_before=1, checks=[])
    assert keep_verdict(registry, champion, "publish m.onnx")
    assert verify_version(registry, MODEL, 1).faults == ()
    facts = verdict_facts(registry, MODEL, 1)
    assert (facts["verdict"], facts["beside"]) == ("is champion already", "itself")
    assert not keep_verdict(registry, champion, "publish m.onnx"), "once is enough"


def _die(*_: Any) -> None:
    raise KeyboardInterrupt


def test_a_verdict_of_a_newer_release_that_the_log_tells_is_a_fault(registry: Registry) -> None:
    keep_verdict(registry, asked(), "a test")
    file, log = Path(registry.store.where(f"{MODEL}/verdicts/1.json")), Path(registry.store.where("log.jsonl"))
    newer = file.read_bytes().replace(b'"schema_version": 1', b'"schema_version": 2')
    was, now = (hashlib.sha256(each).hexdigest() for each in (file.read_bytes(), newer))
    file.write_bytes(newer)
    log.write_text(log.read_text().replace(was, now))
    (fault,) = verify_version(registry, MODEL, 1).faults
    assert "was written by schema 2, this reader knows 1" in fault


def test_a_verdict_of_the_release_that_wrote_no_schema_is_read(registry: Registry) -> None:
    keep_verdict(registry, asked(), "a test")
    file, log = Path(registry.store.where(f"{MODEL}/verdicts/1.json")), Path(registry.store.where("log.jsonl"))
    was = file.read_bytes()
    old = encode_document({name: each for name, each in json.loads(was).items() if name != "schema_version"})
    file.write_bytes(old)
    told, tells = (hashlib.sha256(each).hexdigest() for each in (was, old))
    log.write_text(log.read_text().replace(told, tells))
    assert verify_version(registry, MODEL, 1).faults == ()
    assert verdict_facts(registry, MODEL, 1)["verdict"] == "stays a challenger"
    assert not keep_verdict(registry, asked(), "a test"), "it says the same"


@pytest.mark.parametrize("is_written", [True, False])
def test_a_version_never_has_the_verdict_of_one_that_was_removed_by_hand(registry: Registry, is_written: bool) -> None:
    """The next version took its number, and `registry show` told it as judged."""
    keep_verdict(registry, asked(), "a run of before")
    shutil.rmtree(registry.where(MODEL, 1))
    if not is_written:
        Path(registry.store.where(f"{MODEL}/verdicts/1.json")).unlink()
    version = publish_sound(registry)
    assert version == (2 if is_written else 1)
    assert kept_verdict(registry, MODEL, version) is None
    assert verify_version(registry, MODEL, version).faults == ()


class AskedMeanwhile:
    """A store where the gate is asked again while somebody reads the verdict, in one of two places."""

    def __init__(self, registry: Registry, key: str) -> None:
        self._registry, self._key, self._done = registry, key, False

    def __getattr__(self, name: str) -> Any:
        return getattr(self._registry.store, name)

    def read(self, key: str) -> Any:
        found = self._registry.store.read(key)
        if key.endswith(self._key) and not self._done:
            self._done = True
            keep_verdict(self._registry, asked("roc_auc 0.7"), "another process")
        return found


@pytest.mark.parametrize("key", ["verdicts/1.json", "log.jsonl"])
def test_verify_beside_a_gate_that_is_asked_finds_no_fault(registry: Registry, key: str) -> None:
    """The verdict was read before another process changed it, and the log afterwards."""
    keep_verdict(registry, asked(), "a test")
    reader: Any = AskedMeanwhile(registry, key)
    assert list(verdict_faults(Registry(reader), MODEL, 1)) == []
    assert len(registry.log.changes()) == 3, "the gate was asked meanwhile"


class SlowGate:
    """A gate that has logged its verdict, writes it when `writes_after_s` have passed, or dies before.

    It is asked by a process of its own, as all that it tells of time is what the log has.
    """

    def __init__(self, folder: Path, writes_after_s: float) -> None:
        self.now_s, self._writes_at_s, self._folder = 1e9, 1e9 + writes_after_s, folder
        self.registry = Registry(folder, lambda: self.now_s)
        publish_sound(self.registry)

    def ask(self, found: str) -> None:
        """Again, with the verdict of before in its place."""
        file = self._folder / MODEL / "verdicts" / "1.json"
        before = file.read_bytes() if file.exists() else None
        keep_verdict(self.registry, asked(found), "a test")
        self._file, self._content = file, file.read_bytes()
        if before is None:
            file.unlink()
        else:
            file.write_bytes(before)

    def wait(self, seconds: float) -> None:
        self.now_s += seconds
        if self.now_s >= self._writes_at_s:
            self._file.write_bytes(self._content)


@pytest.mark.parametrize("is_first", [True, False])
@pytest.mark.parametrize(("writes_after_s", "faults"), [(0.1, 0), (5, 0), (29, 0), (90, 1)])
def test_verify_waits_for_a_gate_that_has_logged_its_verdict_and_not_yet_written_it(
    tmp_path: Path, writes_after_s: float, faults: int, *, is_first: bool
) -> None:
    """A storage that is slow for more than 0.2 s was a false alarm. A process that was killed is a fault."""
    gate = SlowGate(tmp_path, writes_after_s)
    if not is_first:
        keep_verdict(gate.registry, asked("roc_auc 0.9"), "a test")
    gate.ask("roc_auc 0.7 is below")
    assert len(list(verdict_faults(gate.registry, MODEL, 1, gate.wait))) == faults
    assert gate.now_s < 1e9 + 35, "and not for ever"


def test_verify_waits_for_no_gate_where_the_verdict_is_of_none_or_the_log_is_old(tmp_path: Path) -> None:
    def never(_: float) -> None:
        raise AssertionError

    gate = SlowGate(tmp_path, 90)
    gate.ask("roc_auc 0.7")
    gate.now_s += 31
    assert len(list(verdict_faults(gate.registry, MODEL, 1, never))) == 1, "it was killed"
    keep_verdict(gate.registry, asked("roc_auc 0.8"), "a test")
    (tmp_path / MODEL / "verdicts" / "1.json").write_bytes(b"{}")
    assert len(list(verdict_faults(gate.registry, MODEL, 1, never))) == 1, "no gate has written this"


def test_verify_waits_not_for_ever_where_the_clock_of_the_gate_is_ahead(tmp_path: Path) -> None:
    gate = SlowGate(tmp_path, 9_000)
    gate.ask("roc_auc 0.7")
    gate.now_s -= 3_600
    began_s = gate.now_s
    assert len(list(verdict_faults(gate.registry, MODEL, 1, gate.wait))) == 1
    assert gate.now_s < began_s + 35


def test_a_version_that_is_gone_gets_no_verdict(registry: Registry) -> None:
    delete_version(registry, MODEL, 1)
    with pytest.raises(RegistryError, match="has no version 1"):
        keep_verdict(registry, asked(), "a test")
    assert [each.action for each in registry.log.changes()] == ["publish", "delete"]
