"""A stack's directory: what it may be, what it remembers, and who runs in it."""

import os

import pytest

from deploy.local.errors import LocalError
from deploy.local.stack.stack_directory import Remembered, StackDirectory
from deploy.local.stack.standing import Part, Standing


def test_a_directory_that_holds_something_else_is_refused(tmp_path):
    (tmp_path / "thesis.txt").write_text("mine")
    with pytest.raises(LocalError, match="is not empty, and no stack was begun there"):
        StackDirectory(tmp_path).create()
    assert [each.name for each in tmp_path.iterdir()] == ["thesis.txt"]


def test_a_directory_of_a_start_that_failed_may_be_used_again(tmp_path):
    StackDirectory(tmp_path).create()
    StackDirectory(tmp_path).create()
    assert StackDirectory(tmp_path).remembered() is None


def test_a_file_in_the_place_of_the_directory_is_refused(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(LocalError, match=r"cannot be used: .*\. Give another --directory"):
        StackDirectory(tmp_path / "file").create()


def test_what_is_remembered_comes_back(tmp_path):
    directory = StackDirectory(tmp_path)
    directory.create()
    remembered = Remembered(
        definitions="shop", kafka="apache", redis="yours", namespace="n", log="l", import_path=("a", "b"), redis_port=7
    )
    directory.remember(remembered)
    assert StackDirectory(tmp_path).remembered() == remembered
    standing = Standing("ready", 1, (Part("kafka", "up", "works", 2, pid=3),))
    directory.show(standing)
    assert directory.standing() == standing


def test_a_memory_that_cannot_be_read_is_named(tmp_path):
    directory = StackDirectory(tmp_path)
    directory.create()
    (tmp_path / "stack.json").write_text("{")
    with pytest.raises(LocalError, match=r"stack\.json cannot be read: .* Restore the file"):
        directory.remembered()


def test_one_supervisor_at_a_time_and_its_id_is_known(tmp_path):
    directory = StackDirectory(tmp_path)
    directory.create()
    assert directory.supervisor() is None
    with directory.locked():
        assert StackDirectory(tmp_path).supervisor() == os.getpid()
        with pytest.raises(LocalError, match="runs already"), StackDirectory(tmp_path).locked():
            pass
        assert StackDirectory(tmp_path).supervisor() == os.getpid()
    assert directory.supervisor() is None
