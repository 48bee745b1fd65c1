"""A file is there whole or not at all, and what failed leaves nothing behind."""

import errno
import fcntl
import os
from pathlib import Path

import pytest

from training.durable_files import may_be_locked, replace_file, take_lock, write_synced


def test_a_file_is_replaced_and_its_folder_is_made(tmp_path: Path) -> None:
    path = tmp_path / "new" / "deep" / "file"
    replace_file(path, b"one")
    replace_file(path, b"two")
    assert path.read_bytes() == b"two"
    assert list(path.parent.iterdir()) == [path]


def test_a_write_that_fails_leaves_the_old_content_and_no_other_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "file"
    replace_file(path, b"old")

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        replace_file(path, b"new")
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_the_disk_has_the_content_before_the_name_is_given(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, synced = tmp_path / "file", list[bool]()
    wait = os.fsync

    def noted(descriptor: int) -> None:
        synced.append(path.exists())
        wait(descriptor)

    monkeypatch.setattr(os, "fsync", noted)
    replace_file(path, b"new")
    assert synced == [False, True]  # of the file, then of its folder


def test_a_file_that_is_there_is_not_written_again(tmp_path: Path) -> None:
    write_synced(tmp_path / "file", b"one")
    with pytest.raises(FileExistsError):
        write_synced(tmp_path / "file", b"two")
    assert (tmp_path / "file").read_bytes() == b"one"


@pytest.mark.parametrize("kind", [fcntl.LOCK_EX, fcntl.LOCK_SH], ids=["exclusive", "shared"])
def test_a_file_is_locked_as_long_as_somebody_has_its_lock(tmp_path: Path, kind: int) -> None:
    path = tmp_path / "lock"
    with path.open("w") as holder:
        assert not may_be_locked(path)
        fcntl.flock(holder, kind)
        assert may_be_locked(path)
        with path.open("r+") as other:
            assert not take_lock(other)
    with path.open("r+") as other:
        assert take_lock(other)
        assert may_be_locked(path)
    assert not may_be_locked(path)


@pytest.mark.parametrize("name", ["missing", "missing/lock", "file/lock"])
def test_nobody_has_the_lock_of_a_file_that_does_not_exist(tmp_path: Path, name: str) -> None:
    (tmp_path / "file").touch()
    assert not may_be_locked(tmp_path / name)


def test_a_file_that_cannot_be_opened_may_be_locked(tmp_path: Path) -> None:
    """Whoever asks removes what nobody uses: an error must not look like nobody."""
    (tmp_path / "lock").symlink_to(tmp_path / "lock")
    with pytest.raises(OSError, match="symbolic links"):
        (tmp_path / "lock").open("r+b")
    assert may_be_locked(tmp_path / "lock")


def test_a_file_system_without_locks_is_an_error_of_who_takes_one_and_all_on_it_may_be_locked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_locks(file: object, operation: int) -> None:
        raise OSError(errno.ENOLCK, "No locks available")

    (tmp_path / "lock").touch()
    monkeypatch.setattr(fcntl, "flock", no_locks)
    with (tmp_path / "lock").open("r+") as file, pytest.raises(OSError, match="No locks available"):
        take_lock(file)
    assert may_be_locked(tmp_path / "lock")
