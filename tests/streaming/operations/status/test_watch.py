"""`status --watch` on a screen: it goes on while everything is away, says so, and ends well."""

import os
import pty
import signal
import subprocess
import sys
import time

from tests.streaming.processes import ROOT

WITHIN_S = 60.0


def test_a_watcher_of_parts_that_are_away_says_so_and_ends_with_ctrl_c(tmp_path):
    environment = {
        **os.environ,
        "KAFKA_BOOTSTRAP_SERVERS": "127.0.0.1:1",
        "REDIS_URL": "redis://127.0.0.1:1/0",
        "MILLRACE_LAKE": str(tmp_path / "none"),
        "TERM": "xterm",
        "COLUMNS": "200",
        "LINES": "50",
    }
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "streaming", "status", "--watch"]
    watcher = subprocess.Popen(command, cwd=ROOT, env=environment, stdin=theirs, stdout=theirs, stderr=theirs)
    os.close(theirs)
    seen = b""
    try:
        deadline = time.monotonic() + WITHIN_S
        while seen.count(b"! Kafka") < 2:  # two looks: it goes on
            assert time.monotonic() < deadline, seen
            seen += os.read(ours, 65_536)
        watcher.send_signal(signal.SIGINT)
        while True:
            try:
                seen += os.read(ours, 65_536)
            except OSError:  # the other end is closed
                break
        assert watcher.wait(60) == 0
    finally:
        watcher.kill()
        watcher.wait()
        os.close(ours)
    said = seen.decode(errors="replace")  # the signal may cut a line, in the middle of a character
    assert "! Redis" in said
    assert "! lake" in said
    assert "\x1b[31m" in said or "\x1b[1;31m" in said
    assert "\x1b[?1049l" in said, "the screen before is back"
    assert "Traceback" not in said
