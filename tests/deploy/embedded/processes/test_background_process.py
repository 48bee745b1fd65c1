"""No process and no port stays behind, however the parent goes."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from deploy.embedded.errors import EmbeddedError
from deploy.embedded.ports import answers
from deploy.embedded.processes.background_process import BackgroundProcess
from tests.deploy.embedded.probes import alive, eventually

_ROOT = Path(__file__).parents[4]
_PARENT = """
import threading, time
from deploy.embedded.kafka.kafka_simulator import KafkaSimulator
from deploy.embedded.redis_server import RedisServer
with RedisServer() as redis, KafkaSimulator() as kafka:
    print(redis.pid, kafka.pid, redis.port, kafka.bootstrap_servers.rpartition(":")[2], flush=True)
    time.sleep(60)
"""


_INTERRUPTED = """
import atexit, signal, subprocess, sys, threading
from pathlib import Path
started, asked = [], threading.Event()
atexit.register(lambda: print([each.poll() for each in started]))  # after the one of the module below
from deploy.embedded.processes import background_process

class Slow(subprocess.Popen):
    def __init__(self, *arguments, **options):
        super().__init__(*arguments, **options)
        started.append(self)
        print("started", flush=True)
        asked.wait(60)

class Asked(BaseException):
    pass

def ask(number, frame):
    asked.set()
    raise Asked

background_process.subprocess.Popen = Slow
signal.signal(signal.SIGUSR1, ask)
try:
    background_process.BackgroundProcess(["sleep", "600"], log=Path(sys.argv[1]))
except Asked:
    print("asked")
"""


def test_a_child_is_ended_though_its_parent_is_interrupted_while_it_starts(tmp_path: Path) -> None:
    command = [sys.executable, "-u", "-c", _INTERRUPTED, str(tmp_path / "log")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=_ROOT) as parent:
        assert parent.stdout is not None
        assert parent.stdout.readline() == "started\n"
        parent.send_signal(signal.SIGUSR1)
        assert parent.communicate(timeout=120)[0] == "asked\n[-9]\n"


def _sleeper(directory: Path) -> BackgroundProcess:
    return BackgroundProcess(["sleep", "60"], log=directory / "log")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL, signal.SIGHUP, signal.SIGTERM])
def test_a_parent_that_ends_in_any_way_leaves_no_process_and_no_port(number: signal.Signals, tmp_path: Path) -> None:
    if number is not signal.SIGINT and sys.platform != "linux":
        pytest.skip("only Linux ends a child with its parent")
    parent = subprocess.Popen(
        [sys.executable, "-c", _PARENT],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        cwd=_ROOT,
        env={**os.environ, "TMPDIR": str(tmp_path)},
        start_new_session=True,
    )
    try:
        assert parent.stdout is not None
        with parent.stdout:
            *pids, redis_port, kafka_port = map(int, parent.stdout.readline().split())
        assert len(pids) == 2
        assert all(map(alive, pids))
        # To the whole group, as a terminal does.
        os.killpg(parent.pid, number)
        parent.wait(60)
        assert eventually(lambda: not any(map(alive, pids)))
        # Its last thread may still hold the port when a process already counts as ended.
        assert eventually(lambda: not answers(redis_port))
        assert eventually(lambda: not answers(kafka_port))
    finally:
        parent.kill()
        parent.wait()


def test_a_child_outlives_the_thread_that_started_it(tmp_path: Path) -> None:
    # The kernel's rule speaks of threads: without the launcher thread the child would die here.
    started: list[BackgroundProcess] = []
    thread = threading.Thread(target=lambda: started.append(_sleeper(tmp_path)))
    thread.start()
    thread.join()
    try:
        time.sleep(0.3)
        assert started[0].running
    finally:
        started[0].kill()


def test_a_paused_child_stops_as_well(tmp_path: Path) -> None:
    child = _sleeper(tmp_path)
    child.pause()
    child.stop(grace_s=60)
    assert child.exit_code == -signal.SIGTERM
    assert not alive(child.pid)


def test_a_child_that_ignores_the_request_is_killed(tmp_path: Path) -> None:
    program = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); print(1, flush=True); signal.pause()"
    child = BackgroundProcess([sys.executable, "-c", program], log=tmp_path / "log")
    child.wait_until(lambda: (tmp_path / "log").read_text() != "", what="it", within_s=90)
    child.stop(grace_s=0.2)
    assert child.exit_code == -signal.SIGKILL


_LEAVES_A_CHILD = """
import subprocess, sys, time
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
print(child.pid, flush=True)
time.sleep(float(sys.argv[1]))
"""


@pytest.mark.parametrize("ends", ["by itself", "when asked"])
def test_a_command_that_ends_takes_its_own_children_with_it(tmp_path: Path, ends: str) -> None:
    """One that is still importing would not notice for seconds that its parent is gone."""
    log, for_s = tmp_path / "log", "0" if ends == "by itself" else "60"
    child = BackgroundProcess([sys.executable, "-c", _LEAVES_A_CHILD, for_s], log=log)
    assert eventually(lambda: log.read_text().endswith("\n"))
    grandchild = int(log.read_text())
    if ends == "when asked":
        child.stop(grace_s=60)
    assert eventually(lambda: not child.running)
    assert eventually(lambda: not alive(grandchild))
    assert child.exit_code == (0 if ends == "by itself" else -signal.SIGTERM)


def test_ending_twice_is_harmless(tmp_path: Path) -> None:
    child = _sleeper(tmp_path)
    child.kill()
    child.kill()
    child.stop()
    assert not child.running


def test_a_command_that_ends_at_once_is_reported_with_its_last_words(tmp_path: Path) -> None:
    child = BackgroundProcess([sys.executable, "-c", "raise SystemExit('no room for data')"], log=tmp_path / "log")
    with pytest.raises(EmbeddedError, match=r"(?s)the part ended at once \(exit code 1\).*no room for data"):
        child.wait_until(lambda: False, what="the part", within_s=90)


def test_a_command_that_never_answers_is_ended(tmp_path: Path) -> None:
    child = _sleeper(tmp_path)
    with pytest.raises(EmbeddedError, match=r"gave no answer within 0\.1 s"):
        child.wait_until(lambda: False, what="the part", within_s=0.1)
    assert not alive(child.pid)
