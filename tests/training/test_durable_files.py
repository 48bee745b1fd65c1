"""A file is there whole or not at all, and what failed leaves nothing behind."""

import os
from pathlib import Path

import pytest

from training.durable_files import replace_file, write_synced


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
