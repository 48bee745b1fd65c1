from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import pytest

from shared_features.formats.registry_log import LOG_FILE, RegistryChange
from tests.training.registry.test_versions import publish
from training.registry.registry_log import Append, RegistryLog, this_user
from training.registry.storage.opening import open_store
from training.registry.storage.registry_store import Change
from training.registry.versions import Registry


def _write(registry: Path, who: str, count: int) -> None:
    log = RegistryLog(open_store(registry))
    for number in range(count):
        log.change(partial(_append, RegistryChange(number, who, "promote", "m", number, "w" * 300)))


def _append(line: RegistryChange, change: Change, append: Append) -> None:
    append(line)


def test_writers_at_once_lose_nothing(tmp_path: Path) -> None:
    """The lock is that of an open file, so threads exclude each other as processes do."""
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda number: _write(tmp_path, f"writer {number}", 25), range(4)))
    log = RegistryLog(open_store(tmp_path))
    assert log.damaged_lines() == []
    for number in range(4):
        assert [each.version for each in log.changes() if each.who == f"writer {number}"] == list(range(25))
    assert len(log.changes()) == 100


def test_a_line_after_one_that_a_power_cut_left_is_read(tmp_path: Path) -> None:
    _write(tmp_path, "ada", 1)
    log = RegistryLog(open_store(tmp_path))
    with (tmp_path / LOG_FILE).open("ab") as file:
        file.write(b'{"at":"2026-')
    _write(tmp_path, "bob", 1)
    assert [each.who for each in log.changes()] == ["ada", "bob"]
    assert log.damaged_lines() == [2]


def test_a_publication_is_logged_with_the_digest_of_its_manifest(tmp_path: Path) -> None:
    registry = Registry(tmp_path, clock=lambda: 1.5)
    publish(registry)
    publish(registry)  # the same model
    (change,) = registry.log.changes()
    assert (change.action, change.version, change.at_us, change.who) == ("publish", 1, 1_500_000, this_user())
    assert len(change.digest) == 64


def test_a_user_without_a_name_has_a_number(monkeypatch: pytest.MonkeyPatch) -> None:
    def nameless() -> str:
        raise KeyError("getpwuid(): uid not found: 4711")

    monkeypatch.setattr("getpass.getuser", nameless)
    assert this_user().startswith("uid ")
