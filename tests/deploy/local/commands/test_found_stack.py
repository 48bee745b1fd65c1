"""The stack that is meant: that of the folder, else the only one that runs; what the environment says comes first."""

import contextlib

import pytest

from deploy.local.commands.found_stack import find_stack, is_complete
from deploy.local.errors import LocalError
from deploy.local.parts.environment import write_environment_file
from deploy.local.stack.stack_directory import Remembered, StackDirectory

SAYS = {
    "MILLRACE_DEFINITIONS": "my_shop.features",
    "REDIS_URL": "redis://127.0.0.1:7/0",
    "MILLRACE_LAKE": "/a folder/lake",
    "MILLRACE_ARCHIVE_COMMIT": "PT1S",
}


@pytest.fixture(autouse=True)
def own_notes(tmp_path, monkeypatch):
    """Not those of the machine: other tests start stacks at the same time."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))


def begun(folder, definitions="my_shop.features"):
    directory = StackDirectory(folder / "var" / "stack")
    directory.create()
    remembered = Remembered(
        definitions=definitions, kafka="simulator", redis="embedded", namespace="n", log="l", import_path=(str(folder),)
    )
    directory.remember(remembered)
    write_environment_file(directory, remembered, SAYS | {"MILLRACE_DEFINITIONS": definitions})
    return directory


def test_the_stack_of_the_folder_is_found_also_while_it_does_not_run(tmp_path):
    directory = begun(tmp_path)
    found = find_stack({}, tmp_path)
    assert found is not None
    assert (found.directory.path, dict(found.settings), found.import_path) == (directory.path, SAYS, (str(tmp_path),))
    assert str(found).endswith("var/stack (definitions my_shop.features; it does not run, `up` starts it)")
    with directory.locked():
        assert str(found).endswith("var/stack (definitions my_shop.features)")


def test_an_environment_that_agrees_is_completed_and_another_one_is_left_alone(tmp_path):
    begun(tmp_path)
    agrees = {"MILLRACE_DEFINITIONS": "my_shop.features", "MILLRACE_REDIS_URL": SAYS["REDIS_URL"]}
    found = find_stack(agrees, tmp_path)
    assert found is not None
    assert not is_complete(agrees, found)
    assert is_complete(SAYS, found), "a person who has read env.sh is told nothing"
    for other in ({"MILLRACE_DEFINITIONS": "other"}, {"KAFKA_BOOTSTRAP_SERVERS": "k:9092"}, {"MILLRACE_SETTINGS": "f"}):
        assert find_stack(other, tmp_path) is None


def test_the_only_one_that_runs_elsewhere_is_found(tmp_path):
    shop, here = tmp_path / "shop", tmp_path / "here"
    directory = begun(shop)
    assert find_stack({}, here) is None, "it does not run"
    with directory.locked():
        found = find_stack({}, here)
        assert found is not None
        assert found.directory.path == directory.path
        assert find_stack({"MILLRACE_DEFINITIONS": "my_shop.features"}, here) is None, "no word of where the data are"
    assert find_stack({}, here) is None


def test_two_that_run_are_refused_with_both_and_what_to_write(tmp_path):
    with contextlib.ExitStack() as exits:
        for name in ("shop", "mill"):
            exits.enter_context(begun(tmp_path / name, f"{name}.features").locked())
        with pytest.raises(LocalError, match="2 stacks run on this machine") as refused:
            find_stack({}, tmp_path)
        for name in ("shop", "mill"):
            assert f"{tmp_path}/{name}/var/stack ({name}.features)" in str(refused.value)
        assert "`source " in str(refused.value)
        assert "or stand in the folder that holds its var/stack" in str(refused.value)
        assert find_stack({"MILLRACE_DEFINITIONS": "x"}, tmp_path) is None
        own = find_stack({}, tmp_path / "mill")
        assert own is not None
        assert own.definitions == "mill.features", "the folder says which"


def test_a_stack_that_has_not_started_its_servers_yet_is_none(tmp_path):
    StackDirectory(tmp_path / "var" / "stack").create()
    with begun(tmp_path / "other").locked():
        assert find_stack({}, tmp_path) is None, "nor is another one that runs elsewhere"
