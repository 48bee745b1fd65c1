"""The one command: its verbs, and what it says of a verb that there is not."""

import importlib.util
import os
import subprocess
import sys

import pytest

from deploy.command_line import GROUPS, main

VERBS = [verb for verbs in GROUPS.values() for verb in verbs]


def run(*arguments, cwd=None):
    command = [sys.executable, "-m", "deploy.command_line", *arguments]
    return subprocess.run(command, capture_output=True, text=True, cwd=cwd, timeout=60, check=False)


@pytest.mark.parametrize("verb", VERBS, ids=lambda verb: verb.name)
def test_every_verb_leads_to_a_program_that_exists(verb):
    assert importlib.util.find_spec(f"{verb.program[0]}.__main__") is not None


def test_help_lists_every_verb_under_what_a_person_wants(capsys):
    assert main(["--help"]) == 0
    said = capsys.readouterr().out
    for title, verbs in GROUPS.items():
        assert f"\n{title}:\n" in said
        assert all(f"  {verb.name} " in said and verb.help in said for verb in verbs)


@pytest.mark.parametrize(
    ("wrong", "meant"), [("trian", "train"), ("stauts", "status"), ("deadletters", "dead-letters")]
)
def test_a_misspelt_verb_is_answered_with_the_one_that_was_meant(wrong, meant, capsys):
    assert main([wrong]) == 2
    assert f"There is no verb `{wrong}`. Did you mean `{meant}`?" in capsys.readouterr().err


def test_a_verb_hands_its_options_and_exit_code_on(tmp_path):
    done = run("train", "--train-days", "-1", cwd=None)
    assert done.returncode == 2
    assert "give a number of days, 0 or more" in done.stderr


def test_folders_of_the_user_do_not_stand_in_for_the_packages(tmp_path):
    """A project with a folder `training` is nothing unusual. Its own definitions are found nevertheless."""
    (tmp_path / "training").mkdir()
    (tmp_path / "training" / "__init__.py").write_text("raise SystemExit('the wrong package')")
    (tmp_path / "my_shop.py").write_text("from tests.domains.machines import *\n")
    found = os.pathsep.join(sys.path[:1])
    done = subprocess.run(
        [sys.executable, "-m", "deploy.command_line", "catalogue"],
        cwd=tmp_path,
        env={**os.environ, "MILLRACE_DEFINITIONS": "my_shop", "PYTHONPATH": os.environ.get("PYTHONPATH", found)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "machine_heat" in done.stdout
