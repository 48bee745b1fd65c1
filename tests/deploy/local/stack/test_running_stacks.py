"""The notes of running stacks: there while they run, and only where their user alone may write."""

import os

import pytest

from deploy.local.stack.running_stacks import noted, noted_directories


@pytest.fixture(autouse=True)
def own_folder(tmp_path, monkeypatch):
    """Not that of the machine: other tests start stacks at the same time."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    return tmp_path / f"millrace-stacks-{os.getuid()}"


def test_a_directory_is_noted_while_its_stack_runs(tmp_path):
    assert noted_directories() == []
    with noted(tmp_path / "a"), noted(tmp_path / "b"):
        assert sorted(noted_directories()) == [tmp_path / "a", tmp_path / "b"]
    assert noted_directories() == []


def test_a_folder_that_is_a_link_is_not_believed(own_folder, tmp_path):
    (tmp_path / "theirs").mkdir()
    (tmp_path / "theirs" / "note").write_text("/of/somebody/else")
    own_folder.symlink_to(tmp_path / "theirs")
    assert noted_directories() == []
    with noted(tmp_path / "a"):
        assert [each.name for each in (tmp_path / "theirs").iterdir()] == ["note"]


def test_a_stack_runs_also_where_no_note_can_be_written(own_folder, tmp_path):
    own_folder.write_text("a file in its place")
    with noted(tmp_path / "a"):
        assert noted_directories() == []
