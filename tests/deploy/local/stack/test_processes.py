"""A process is ended by its id, and only while the id is still that process."""

import subprocess
import sys

import pytest

from deploy.local.stack.processes import end, is_running, started

SLEEPS = "import signal, time; {}; print('up', flush=True); time.sleep(60)"


@pytest.fixture(params=["pass", "signal.signal(signal.SIGTERM, signal.SIG_IGN)"], ids=["ends", "does not listen"])
def child(request):
    command = [sys.executable, "-c", SLEEPS.format(request.param)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "up\n"
        yield process, request.param != "pass"
        process.kill()


def test_a_process_is_asked_to_end_and_killed_if_it_does_not(child):
    process, stubborn = child
    since = started(process.pid)
    assert is_running(process.pid, since)
    assert end(process.pid, since, grace_s=1.0 if stubborn else 60.0) == stubborn
    assert process.wait(60) != 0
    assert not is_running(process.pid, since)
    assert not end(process.pid, since, grace_s=1.0)


def test_another_process_of_the_same_id_is_left_alone(child):
    process, _ = child
    end(process.pid, "Thu Jan  1 00:00:00 1970", grace_s=1.0)
    end(process.pid, None, grace_s=1.0)
    assert process.poll() is None
