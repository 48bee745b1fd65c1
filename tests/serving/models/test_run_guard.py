"""A guard ends a run that takes too long, at any time, and no other."""

import os
import subprocess
import sys
import time

import numpy as np
import pytest

from serving.models import run_guard
from serving.models.model import open_session
from serving.models.run_guard import RunGuard
from tests.architecture.source_tree import ROOT
from tests.serving.published_models import patient
from training.models.graph.model_constants import INPUT_NAME

ROW = {INPUT_NAME: np.full((1, 3), 7.0, np.float32)}


@pytest.fixture(scope="module")
def endless():
    return open_session(patient(10**12))


def seconds_until_ended(session, guard):
    began_s = time.monotonic()
    with guard.within(0.05) as options, pytest.raises(Exception, match="terminate flag"):
        session.run(None, ROW, options)
    assert guard.options.terminate
    return time.monotonic() - began_s


def test_a_run_that_takes_too_long_is_ended_and_the_next_one_is_not(endless, capfd):
    guard = RunGuard()
    assert 0.05 <= seconds_until_ended(endless, guard) < 10
    with guard.within(60.0) as options:
        assert open_session(patient(3)).run(None, ROW, options)[0].tolist() == [7.0]
        assert not options.terminate
    assert capfd.readouterr().err == ""  # ONNX Runtime writes no line of its own between those of the log


@pytest.mark.parametrize(
    "module", ["serving.models.model", "training.models.graph.onnx_export", "streaming.scores.scoring_model"]
)
def test_onnx_runtime_tells_its_makers_of_no_process(module, tmp_path):
    """Since 1.31 it does so from Linux too, and writes a number of the machine and a queue of what to tell."""
    (tmp_path / "model.onnx").write_bytes(patient(3))
    code = f"""
import sys, {module}, onnxruntime
onnxruntime.InferenceSession(sys.argv[1], providers=["CPUExecutionProvider"])
"""
    there = {name: value for name, value in os.environ.items() if name not in ("CI", "ORT_DISABLE_TELEMETRY")}
    home = tmp_path / "home"
    home.mkdir()
    command = [sys.executable, "-c", code, str(tmp_path / "model.onnx")]
    subprocess.run(command, env={**there, "HOME": str(home), "XDG_CACHE_HOME": str(home)}, cwd=ROOT, check=True)
    assert not [each for each in home.rglob("*") if "onnxruntime" in each.name.lower()]


def test_the_thread_that_looks_sleeps_without_runs_and_wakes_with_the_next(endless, monkeypatch):
    monkeypatch.setattr(run_guard, "_LOOKS_WITHOUT_A_RUN", 2)
    guard = RunGuard()
    for _ in range(3):
        assert seconds_until_ended(endless, guard) < 10
        deadline_s = time.monotonic() + 60
        while run_guard._WATCH._wanted.is_set():
            assert time.monotonic() < deadline_s
            time.sleep(0.01)


def test_a_stall_before_the_run_is_not_the_runs_doing(monkeypatch):
    """A garbage collection before a quick run ended it, and all models of the view counted as slow for 10 s."""
    watch = run_guard._Watch()
    monkeypatch.setattr(watch, "began", lambda: None)  # it looks when the test says so
    monkeypatch.setattr(run_guard, "_WATCH", watch)
    guard = RunGuard()
    with guard.within(0.2) as options:
        watch.look()
        busy(0.3)  # a collection: no look comes in between
        watch.look()
        assert not options.terminate
        busy(0.3)  # the model
        watch.look()
        assert options.terminate
    with guard.within(0.2) as options:  # another run: all begins again
        watch.look()
        busy(0.3)
        watch.look()
        assert not options.terminate


def busy(seconds):
    """Processor time of this thread."""
    until_s = time.thread_time() + seconds
    while time.thread_time() < until_s:
        pass


def test_between_runs_nothing_is_ended(endless):
    guard = RunGuard()
    with guard.within(0.0):
        pass
    time.sleep(0.1)
    assert not guard.options.terminate
