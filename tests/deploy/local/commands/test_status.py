"""`status` and `down` load little: they answer while a person waits."""

import subprocess
import sys
from datetime import UTC, datetime

import pytest

from deploy.local.commands.lines import since_text
from deploy.local.commands.status import stands_now
from deploy.local.stack.stack_directory import StackDirectory
from deploy.local.stack.standing import Part, Standing
from tests.streaming.processes import ROOT

HEAVY = ("numba", "polars", "pyarrow", "redis", "confluent_kafka", "deltalake")


@pytest.mark.parametrize("verb", ["status", "down"])
def test_they_load_neither_the_definitions_nor_any_client(verb, tmp_path):
    code = (
        "import sys\n"
        "from deploy.local.__main__ import main\n"
        f"code = main(['{verb}', '--directory', {str(tmp_path)!r}])\n"
        f"print(code, [each for each in {HEAVY!r} if each in sys.modules])\n"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.stdout.endswith("1 []\n"), done.stdout + done.stderr
    assert "There is no stack in" in done.stderr


def test_a_stack_that_is_down_is_told_with_the_models_of_before(tmp_path):
    (tmp_path / ".running").touch()
    (tmp_path / "stack.json").write_text(
        '{"definitions":"my_shop.features","kafka":"simulator","redis":"embedded","namespace":"n","log":"l"}'
    )
    (tmp_path / "answer.json").write_text(
        '{"asked":"x","models":{"churn":3,"spam":null},"lines":[],"stream":{},'
        '"trained":{"churn":"trained on 7,201 rows up to 2026-09-20T10:00:00Z"}}'
    )
    command = [sys.executable, "-m", "deploy.local", "status", "--directory", str(tmp_path)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 1, done.stderr
    assert f"{tmp_path}: down, definitions my_shop.features" in done.stdout
    assert (
        "model of view churn: version 3 answered when this was last seen, trained on 7,201 rows up to " in done.stdout
    )
    assert "model of view spam: none yet" in done.stdout
    assert "`up` starts it again" in done.stdout


def test_of_a_stack_that_was_killed_nobody_knows_when_it_ended(tmp_path):
    directory = StackDirectory(tmp_path)
    parts = (
        Part("serving", "up", "answers", 1_767_225_600_000_000),
        Part("redis", "ended", "", 1_767_225_700_000_000),
    )
    directory.show(Standing("ready", 1_767_225_600_000_000, parts))
    running, standing = stands_now(directory)
    assert (running, standing.phase, standing.since_us) == (False, "ended", 0)
    assert [(each.state, each.since_us) for each in standing.parts] == [("ended", 0), ("ended", 1_767_225_700_000_000)]
    assert since_text(0, datetime.now(UTC)).isspace()
