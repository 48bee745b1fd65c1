"""A dataflow that is asked to stop ends as if its input had: what it took is written, and the process exits 0."""

import re
import signal
import subprocess
import sys
import time

import pytest

from tests.streaming.processes import ROOT

DATAFLOW = r"""
import sys, time
from datetime import datetime, timedelta, timezone
from bytewax import operators as op
from bytewax.dataflow import Dataflow
from bytewax.inputs import FixedPartitionedSource, StatefulSourcePartition
from bytewax.outputs import DynamicSink, StatelessSinkPartition
from bytewax.run import cli_main
from bytewax.testing import cluster_main, run_main
from streaming.job.stopping import install, stop_requested

class Numbers(StatefulSourcePartition):
    taken = 0
    def __init__(self, first):
        self.first = first
    def next_batch(self):
        if stop_requested():
            raise StopIteration
        if self.taken == 0 and self.first:
            sys.stdout.write("running\n")
            sys.stdout.flush()
        self.taken += 1
        return [1]
    def next_awake(self):
        return datetime.now(timezone.utc) + timedelta(milliseconds=5)
    def snapshot(self):
        return None
    def close(self):
        sys.stdout.write(f"taken {self.taken}\n")

class Source(FixedPartitionedSource):
    def list_parts(self):
        return ["one", "two"]
    def build_part(self, step, name, resume):
        return Numbers(name == "one")

class Slow(StatelessSinkPartition):
    written = 0
    def write_batch(self, items):
        time.sleep(0.002)
        self.written += sum(items)
    def close(self):
        sys.stdout.write(f"written {self.written}\n")

class Sink(DynamicSink):
    def build(self, *_):
        return Slow()

install()
flow = Dataflow("numbers")
op.output("out", op.input("in", flow, Source()), Sink())
epoch = timedelta(milliseconds=50)
workers = int(sys.argv[2])
{
    "run_main": lambda: run_main(flow, epoch_interval=epoch),
    "cluster_main": lambda: cluster_main(flow, [], 0, epoch_interval=epoch, worker_count_per_proc=workers),
    "cli_main": lambda: cli_main(flow, workers_per_process=workers, epoch_interval=epoch),
}[sys.argv[1]]()
"""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize(("entry", "workers"), [("run_main", 1), ("cluster_main", 2), ("cli_main", 1), ("cli_main", 2)])
def test_a_dataflow_drains_when_asked(entry, workers, number):
    command = [sys.executable, "-c", DATAFLOW, entry, str(workers)]
    running = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert running.stdout is not None
    assert running.stdout.readline() == "running\n"
    time.sleep(0.3)
    asked_s = time.monotonic()
    running.send_signal(number)
    said, _ = running.communicate(timeout=120)
    assert running.returncode == 0
    assert time.monotonic() - asked_s < 60
    counts = {"taken": 0, "written": 0}
    for word, count in re.findall(r"(taken|written) (\d+)", said):
        counts[word] += int(count)
    assert counts["taken"] == counts["written"] > 0


WAITING = r"""
import os, signal, threading
from streaming.job.stopping import install, wait
install()
threading.Timer(0.3, os.kill, (os.getpid(), signal.SIGTERM)).start()
others = [threading.Thread(target=wait, args=(600,)) for _ in range(2)]
for each in others:
    each.start()
print(wait(600), flush=True)
for each in others:
    each.join()
"""


def test_a_request_to_stop_ends_the_waits_of_all_threads_at_once():
    done = subprocess.run([sys.executable, "-c", WAITING], cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert (done.stdout, done.stderr, done.returncode) == ("True\n", "", 0)
