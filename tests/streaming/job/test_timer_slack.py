"""Only the thread that waits for the workers of a dataflow may be late."""

import ctypes
import sys
import threading

import pytest

from streaming.job.timer_slack import precise, relaxed

_PR_GET_TIMERSLACK = 30
pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="other systems have no timer slack")


def slack_ns() -> int:
    return int(ctypes.CDLL(None).prctl(_PR_GET_TIMERSLACK))


def test_a_worker_that_a_relaxed_thread_starts_is_precise_once_it_says_so():
    before, found = slack_ns(), []

    def work() -> None:
        found.append(slack_ns())
        precise()
        found.append(slack_ns())

    with relaxed():
        worker = threading.Thread(target=work)
        worker.start()
        worker.join()
        found.append(slack_ns())
    assert found == [50_000_000, 50_000, 50_000_000]
    assert slack_ns() == before
