"""The one command: its verbs, and what it says of a verb that there is not."""

import importlib.util
import os
import subprocess
import sys

import pytest

from deploy.command_line import GROUPS, main
from deploy.local.parts.environment import stack_settings, write_environment_file
from deploy.local.stack.stack_directory import Remembered, StackDirectory
from shared_features.definitions import load_definitions
from streaming.operations.check.kept_definitions import KeptDefinitions
from tests.architecture.source_tree import ROOT

VERBS = [verb for verbs in GROUPS.values() for verb in verbs]


def run(*arguments, cwd=None, **variables):
    """variables: of the environment, which names no stack otherwise; nor does the machine."""
    named = ("MILLRACE_", "KAFKA_", "REDIS_")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(named)}
    path = os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])
    command = [sys.executable, "-m", "deploy.command_line", *arguments]
    environment = {**kept, "PYTHONPATH": path, "TMPDIR": str(cwd), **variables}
    return subprocess.run(command, capture_output=True, text=True, cwd=cwd, env=environment, timeout=120, check=False)


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


def test_check_definitions_is_a_verb_of_an_installation_too(tmp_path):
    """It was one of `./run` alone, and the pages named it."""
    done = run("check-definitions", cwd=tmp_path, MILLRACE_DEFINITIONS="tests.domains.machines")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.endswith("no fault in the definitions\n")


def test_a_verb_hands_its_options_and_exit_code_on(tmp_path):
    done = run("train", "--train-days", "-1", cwd=tmp_path)
    assert done.returncode == 2
    assert "give a number of days, 0 or more" in done.stderr


def test_folders_of_the_user_do_not_stand_in_for_the_packages(tmp_path):
    """A project with a folder `training` is nothing unusual. Its own definitions are found nevertheless."""
    (tmp_path / "training").mkdir()
    (tmp_path / "training" / "__init__.py").write_text("raise SystemExit('the wrong package')")
    (tmp_path / "my_shop.py").write_text("from tests.domains.machines import *\n")
    done = run("catalogue", cwd=tmp_path, MILLRACE_DEFINITIONS="my_shop")
    assert done.returncode == 0, done.stderr
    assert "machine_heat" in done.stdout


def begun(folder, definitions, project):
    """A stack that has started its servers once."""
    stack = StackDirectory(folder / "var" / "stack")
    stack.create()
    remembered = Remembered(
        definitions=definitions,
        kafka="simulator",
        redis="embedded",
        namespace="n",
        log="l",
        import_path=(str(project),),
        kafka_address="127.0.0.1:9",
        redis_address="redis://127.0.0.1:9/0",
        serving_port=9,
    )
    stack.remember(remembered)
    write_environment_file(stack, remembered, stack_settings(stack, remembered, "embedded"))
    return stack


def test_the_stack_of_the_folder_is_used_and_named(tmp_path):
    """Its definitions and where they lie: the environment of `up` need not be sourced."""
    project = tmp_path / "project"
    project.mkdir()
    (project / "my_mill.py").write_text("from tests.domains.machines import *\n")
    stack = begun(tmp_path, "my_mill", project)
    done = run("catalogue", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "machine_heat" in done.stdout
    assert f"millrace catalogue: using the stack in {stack.path} (definitions my_mill; it does not run" in done.stderr
    asked = run("predict", "breakdown", "{}", cwd=tmp_path)
    assert "http://127.0.0.1:9" in asked.stderr, "its endpoint"
    assert "using the stack" not in run("check", "--help", cwd=tmp_path).stderr


def test_check_compares_the_definitions_with_those_that_the_stack_was_last_up_with(tmp_path):
    stack = begun(tmp_path, "tests.domains.probes_changed", tmp_path)
    stack.keep_definitions(KeptDefinitions.of(load_definitions("tests.domains.probes")))
    done = run("check-definitions", cwd=tmp_path)
    assert done.returncode == 1
    assert f"refused  the data in {stack.path}: group probe_level:v1 means something else than its" in done.stderr


SHOWN = ("exec", "sh", "-c", 'echo "$MILLRACE_DEFINITIONS $REDIS_URL"; exit 3')


def test_a_command_gets_the_settings_of_the_only_stack_that_runs_below_its_folder(tmp_path, monkeypatch):
    """The first command of a newcomer took the stack of somebody else on the same machine."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))  # where its note is looked for
    quiet = run(*SHOWN, cwd=tmp_path)
    assert (quiet.returncode, quiet.stdout, quiet.stderr) == (3, " \n", ""), "none runs"
    stack = begun(tmp_path / "mill", "my_mill", tmp_path)
    with stack.locked():
        done = run(*SHOWN, cwd=tmp_path)
        assert (done.returncode, done.stdout) == (3, "my_mill redis://127.0.0.1:9/0\n")
        assert done.stderr == f"millrace exec: using the stack in {stack.path} (definitions my_mill)\n"
        assert run(*SHOWN, "tests/deploy", cwd=tmp_path).stdout == " \n", "a test must not touch its data"
        (tmp_path / "elsewhere").mkdir()
        elsewhere = run(*SHOWN, cwd=tmp_path / "elsewhere")
        assert (elsewhere.stdout, elsewhere.stderr) == (" \n", "")
        own = run(*SHOWN, cwd=tmp_path, MILLRACE_DEFINITIONS="other")
        assert (own.stdout, own.stderr) == ("other \n", ""), "the environment says which"
        with begun(tmp_path / "shop", "my_shop", tmp_path).locked():
            several = run(*SHOWN, cwd=tmp_path)
    assert (several.returncode, several.stdout) == (3, " \n"), "the environment stays as it is"
    assert several.stderr.startswith("millrace exec: no settings are added. 2 stacks run on this machine: ")
    assert several.stderr.count("\n") == 1
    assert run(*SHOWN, cwd=tmp_path / "mill").stderr == "", "it does not run any more"


def test_a_command_that_there_is_not_ends_as_in_a_shell(tmp_path):
    done = run("exec", "no-such-command", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (127, "")
    assert done.stderr.startswith("millrace exec: no-such-command cannot be run: No such file or directory.")
    (tmp_path / "no-program").write_text("")
    assert run("exec", "./no-program", cwd=tmp_path).returncode == 126


def test_without_a_stack_it_is_said_that_this_is_about_the_cards_of_the_demo(tmp_path):
    (tmp_path / "my_shop").mkdir()
    (tmp_path / "my_shop" / "features.py").write_text("")
    done = run("catalogue", cwd=tmp_path)
    assert "So this is about the cards of the demo" in done.stderr
    assert "export MILLRACE_DEFINITIONS=my_shop.features" in done.stderr


def test_a_command_keeps_the_python_path_that_exec_was_given(tmp_path):
    """It may be where the definitions lie: the guide says to set it so."""
    done = run("exec", "sh", "-c", 'echo "$PYTHONPATH"', cwd=tmp_path)
    assert done.stdout.startswith(f"{ROOT}{os.pathsep}")
