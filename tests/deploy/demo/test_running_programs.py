"""The demo ends when a program does, but for the scheduler, which people are told to kill."""

import os
import signal
import time
from contextlib import ExitStack
from types import SimpleNamespace
from typing import Any

import pytest

from deploy.demo.running_programs import RunningPrograms
from deploy.local.errors import LocalError


@pytest.fixture
def programs(tmp_path):
    quiet: Any = SimpleNamespace(check=lambda: None)
    run = SimpleNamespace(log=lambda name: tmp_path / f"{name}.log")
    stage: Any = SimpleNamespace(environment=dict(os.environ), run=run, check=lambda: None)
    with ExitStack() as stack:
        yield RunningPrograms(stage, quiet, stack)


def killed(program):
    os.kill(program.pid, signal.SIGKILL)
    while program.exit_code is None:
        time.sleep(0.01)


def test_one_that_is_killed_is_started_again_where_that_was_asked_for(programs):
    first = programs.start("server", ["http.server", "0"], revived=True)
    programs.check()
    killed(first)
    programs.check()
    (second,) = programs._revived
    assert second.pid != first.pid
    assert (second.name, second.exit_code) == ("server", None)
    programs.check()
    assert programs._revived == [second]


def test_one_that_fails_by_itself_and_one_that_is_needed_end_the_demo(programs):
    failing = programs.start("failing", ["no_such_module_at_all"], revived=True)
    while failing.exit_code is None:
        time.sleep(0.01)
    with pytest.raises(LocalError, match="failing ended with exit code 1"):
        programs.check()
    programs._revived.clear()
    killed(programs.start("needed", ["http.server", "0"]))
    with pytest.raises(LocalError, match="needed ended with exit code -9"):
        programs.check()
