"""The supervisor over real child processes: they come back, they drain, and nobody is left behind."""

import json
import os
import signal
import sys
import time
from functools import partial
from pathlib import Path

import pytest

from tests.streaming.processes import (
    DOES_NOT_DRAIN,
    DRAINS,
    drained,
    ends_with,
    is_there,
    started,
    supervise,
    until,
)


def came_up(folder: Path, times: int) -> bool:
    return len(started(folder)) >= times


pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_asked_to_stop_every_child_drains_and_the_supervisor_exits_0(tmp_path, number):
    running = supervise(tmp_path, DRAINS, DRAINS, DRAINS)
    until(lambda: len(started(tmp_path)) == 3)
    running.send_signal(number)
    assert running.wait(60) == 0
    assert sorted(drained(tmp_path)) == sorted(started(tmp_path))
    assert not [pid for pid in started(tmp_path) if is_there(pid)]


def test_a_killed_child_comes_back_and_the_others_run_on(tmp_path):
    running = supervise(tmp_path, DRAINS, DRAINS)
    until(lambda: len(started(tmp_path)) == 2)
    first, other = started(tmp_path)
    os.kill(first, signal.SIGKILL)
    until(lambda: len(started(tmp_path)) == 3)
    assert is_there(other)
    running.terminate()
    assert running.wait(60) == 0
    assert "-9" in (tmp_path / "log").read_text()


def test_a_child_that_fails_backs_off_and_one_that_asks_comes_back_at_once(tmp_path):
    times, waits = {}, {}
    for code in (1, 75):
        folder = tmp_path / str(code)
        folder.mkdir()
        running = supervise(folder, ends_with(code))
        until(partial(came_up, folder, 4))
        running.terminate()
        assert running.wait(60) == 0
        times[code] = sorted(float(path.read_text()) for path in folder.glob("started-*"))[:4]
        said = [json.loads(line) for line in (folder / "log").read_text().splitlines()]
        waits[code] = [line["restart_in_s"] for line in said if line["event"] == "restarting after an end"][:3]
    assert times[1][3] - times[1][0] >= 0.1 + 0.2 + 0.4  # halves of 0.2, 0.4, 0.8 s
    assert waits[1] == sorted(waits[1])
    assert waits[75] == [0.0] * 3


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a process of the end of its child")
def test_a_supervisor_sleeps_while_its_children_run(tmp_path):
    running = supervise(tmp_path, DRAINS, DRAINS)
    until(lambda: len(started(tmp_path)) == 2)
    before = sleeps(running.pid)
    time.sleep(3)
    assert sleeps(running.pid) - before <= 15  # it looked 20 times a second
    running.terminate()
    assert running.wait(60) == 0


def sleeps(process_id: int) -> int:
    """How often a process has gone to sleep up to now."""
    status = Path(f"/proc/{process_id}/status").read_text()
    return int(next(line.split()[1] for line in status.splitlines() if line.startswith("voluntary_ctxt_switches")))


def test_processes_of_one_cluster_live_and_end_together(tmp_path):
    running = supervise(tmp_path, "2*" + DRAINS)
    until(lambda: len(started(tmp_path)) == 2)
    first, peer = started(tmp_path)
    os.kill(first, signal.SIGKILL)
    until(lambda: len(started(tmp_path)) == 4)
    assert not is_there(peer)
    running.terminate()
    assert running.wait(60) == 0


def test_a_child_that_does_not_drain_is_killed_and_the_exit_code_says_so(tmp_path):
    for drain_s in (0.5, 20.0):  # the other child may be slow where the machine is
        folder = tmp_path / str(drain_s)
        folder.mkdir()
        running = supervise(folder, DOES_NOT_DRAIN, DRAINS, drain_s=drain_s)
        until(lambda: len(started(folder)) == 2)  # noqa: B023  # called within the loop
        running.terminate()
        assert running.wait(60) == 1
        assert not [pid for pid in started(folder) if is_there(pid)]
        if len(drained(folder)) == 1:
            return
    pytest.fail("no child drained")


@pytest.mark.skipif(sys.platform != "linux", reason="PR_SET_PDEATHSIG is Linux's; elsewhere children look themselves")
def test_a_supervisor_that_is_killed_leaves_nobody_behind(tmp_path):
    running = supervise(tmp_path, DRAINS, DOES_NOT_DRAIN, "2*" + DRAINS)
    until(lambda: len(started(tmp_path)) == 4)
    running.kill()
    running.wait(60)
    until(lambda: not [pid for pid in started(tmp_path) if is_there(pid)], within_s=60)


def test_a_child_is_out_of_reach_of_the_consoles_ctrl_c(tmp_path):
    running = supervise(tmp_path, DRAINS)
    until(lambda: len(started(tmp_path)) == 1)
    assert os.getpgid(started(tmp_path)[0]) != os.getpgid(running.pid)
    running.terminate()
    assert running.wait(60) == 0
