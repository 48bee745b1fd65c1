"""`status` beside programs that wait: what for, and since when."""

import json
import os
import subprocess
import sys
import time

from tests.streaming.processes import ROOT

WITHIN_S = 90.0


def run(settings, *arguments):
    environment = {
        **os.environ,
        "KAFKA_BOOTSTRAP_SERVERS": settings.kafka_bootstrap_servers,
        "REDIS_URL": settings.redis_url,
        "MILLRACE_REDIS_NAMESPACE": settings.redis_namespace,
        "MILLRACE_LAKE": str(settings.lake),
        "MILLRACE_TOPIC_MODE": "embedded",
    }
    command = [sys.executable, "-m", "streaming", *arguments]
    return subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)


def status(settings, *arguments):
    text, _ = run(settings, "status", *arguments).communicate(timeout=120)
    return text.decode()


def test_a_program_that_waits_is_in_the_status_with_what_it_waits_for_and_since_when(settings):
    began_us = time.time_ns() // 1000
    online = run(settings, "run", "--only", "online")
    try:
        deadline = time.monotonic() + WITHIN_S
        while not (waits := json.loads(status(settings, "--json"))["waits"]):
            assert time.monotonic() < deadline
        (wait,) = waits
        assert wait["process"].endswith(" online")
        assert wait["what"] == "waiting for `bootstrap` to build the first shard"
        assert began_us < wait["since_us"] < time.time_ns() // 1000
        assert " online: waiting for `bootstrap` to build the first shard since 20" in status(settings)
    finally:
        online.terminate()
        online.communicate(timeout=120)
