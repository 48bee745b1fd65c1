"""The command line of durable runs, and a `serve` that stops at once and loses nothing."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from training.__main__ import main
from training.scheduler.engine import launched
from training.scheduler.runs.runs import Runs
from training.scheduler.workflow.run_states import CANCELLED, QUEUED, RUNNING
from training.scheduler.workflow.step_process import StepProcess
from training.settings import load_settings

ROOT = Path(__file__).parents[4]


def test_a_stopped_serve_ends_at_once_and_its_run_stays(places):
    assert main(["start", "--id", "one", "train_days=6", 'models=["logistic_regression"]']) == 0
    serving = subprocess.Popen([sys.executable, "-m", "training", "serve"], cwd=ROOT)
    try:
        with Runs(load_settings()) as runs:
            while runs.status("one") != RUNNING:
                assert serving.poll() is None
                time.sleep(0.1)
            os.kill(serving.pid, signal.SIGTERM)
            assert serving.wait(timeout=60) == 0
            assert runs.status("one") == RUNNING
    finally:
        serving.kill()
        serving.wait()


def test_what_a_person_types_and_reads(places, capsys):
    assert main(["start", "--id", "a", "top=5", "view=breakdown"]) == 0
    assert capsys.readouterr().out == "a\n"
    assert main(["runs"]) == 0
    assert 'a  retrain top=5 view="breakdown"' in capsys.readouterr().out
    assert main(["runs", "show", "a"]) == 0
    said = capsys.readouterr().out
    assert re.search(r"^top +5$", said, re.MULTILINE)
    assert re.search(r"^== steps\ndataset +waiting$", said, re.MULTILINE)
    assert main(["start", "--id", "b", "top=6"]) == 0
    assert main(["runs", "compare", "a", "b"]) == 0
    assert re.search(r"^top +5 +6 +\+1$", capsys.readouterr().out, re.MULTILINE)
    assert main(["runs", "logs", "a", "fit"]) == 0
    assert main(["start", "--unless-waiting", "top=6"]) == 0
    assert capsys.readouterr().out == "b\n"
    assert main(["start", "--unless-waiting", "--reason", "celsius drifted", "top=8", "--id", "c"]) == 0
    assert main(["runs", "show", "c"]) == 0
    assert re.search(r"^because +celsius drifted$", capsys.readouterr().out, re.MULTILINE)
    assert main(["cancel", "a"]) == 0
    with Runs(load_settings()) as runs:
        assert runs.status("a") == CANCELLED
    assert main(["resume", "a"]) == 0
    with Runs(load_settings()) as runs:
        assert runs.status("a") == QUEUED
    put = ["schedule", "put", "nightly", "top=7", "--cron", "0 3 * * *", "--time-zone", "Europe/Berlin"]
    assert main(put) == 0
    assert main(["schedule"]) == 0
    assert "nightly  0 3 * * * Europe/Berlin  retrain top=7  next " in capsys.readouterr().out
    assert main([*put, "--new-labels", "50", "--new-partition", "day"]) == 0
    assert main(["schedule"]) == 0
    assert "Europe/Berlin, after 50 new labels, after a new day  retrain top=7" in capsys.readouterr().out
    for wrong, said in (
        (["start", "top"], "'top' is not a parameter. Give NAME=VALUE"),
        (["start", "--template", "score"], "There is no run template 'score'"),
        (["cancel", "d"], "There is no run 'd'"),
        (["runs", "compare", "a"], "`runs compare` takes two runs; 1 names were given."),
        (["runs", "export", "b", "-o", str(places / "b.tar.gz")], "Run b is queued. Export it when it has ended"),
        (["runs", "export", "b"], "`runs export` needs a file to write. Give it by -o"),
        (["runs", "import", str(places / "nothing")], "nothing cannot be read: "),
        (["runs", "logs", "a", "fitt"], "There is no step 'fitt'. There are: dataset, "),
        (["schedule", "put"], "`schedule put` needs the name of a schedule"),
        (["schedule", "put", "x", "--cron", "0 0 30 2 *"], "never fires"),
    ):
        assert main(wrong) == 1
        assert said in capsys.readouterr().err


def test_a_run_is_exported_and_looked_at_elsewhere(places, monkeypatch, capsys):
    assert main(["start", "--id", "a", "top=5"]) == 0
    assert main(["cancel", "a"]) == 0
    file, again = str(places / "a.tar.gz"), str(places / "again.tgz")
    assert main(["runs", "export", "a", "-o", file, "--without-data"]) == 0
    assert f"run a is in {file}: 0 files, 0 bytes\n" in capsys.readouterr().out
    monkeypatch.setenv("MILLRACE_TRAINING_RUNS", str(places / "elsewhere"))
    assert main(["start", "--id", "a", "top=6"]) == 0
    assert main(["runs", "import", file]) == 0
    assert capsys.readouterr().out == "a\nimported:a\n"
    assert main(["runs"]) == 0
    assert "cancelled  imported:a  retrain top=5\n" in capsys.readouterr().out
    assert main(["runs", "show", "imported:a"]) == 0
    assert re.search(r"^imported +yes$", capsys.readouterr().out, re.MULTILINE)
    assert main(["runs", "compare", "imported:a", "a"]) == 0
    assert re.search(r"^top +5 +6 +\+1$", capsys.readouterr().out, re.MULTILINE)
    assert main(["runs", "logs", "imported:a", "fit"]) == 0
    assert main(["runs", "export", "imported:a", "-o", again]) == 0
    assert Path(again).read_bytes() == Path(file).read_bytes()
    capsys.readouterr()
    for wrong, said in (
        (["runs", "import", file], "Run a was imported already, as imported:a. To import it again, remove "),
        (["resume", "imported:a"], "Run imported:a was imported. Its data are where it was done"),
        (["cancel", "imported:a"], "run imported:a is cancelled; it cannot be cancelled any more"),
        (["start", "--id", "imported:b"], "'imported:b' cannot be the id of a new run"),
        (["runs", "show", "imported:b"], "There is no run 'imported:b'"),
    ):
        assert main(wrong) == 1
        assert said in capsys.readouterr().err
    assert main(["news"]) == 0, "of runs that were done elsewhere nothing is told"


def test_waiting_tells_of_a_refused_gate_by_an_exit_code_of_its_own(places, capsys, monkeypatch):
    def played(self: object, request: dict[str, Any], limit_s: float) -> object:
        return {
            "begin": "a folder",
            "step": {"done": "run", "reason": "", "seconds": 0.0, "line": ""},
            "end": {"version": 2, "promoted": promoted, "reasons": ["below the champion"]},
        }[request["do"]]

    monkeypatch.setattr(StepProcess, "ask", played)
    with launched(load_settings()):
        promoted = False
        assert main(["start", "--wait", "--id", "worse"]) == 3
        assert "the gate refused version 2: below the champion\n" in capsys.readouterr().out
        promoted = True
        assert main(["start", "--wait", "--id", "better"]) == 0
        assert "refused" not in capsys.readouterr().out


def test_a_database_that_cannot_be_used_is_one_sentence(places, capsys, monkeypatch):
    monkeypatch.setenv("MILLRACE_RUNS_DATABASE", "mysql://somewhere/runs")
    assert main(["runs"]) == 1
    assert "MILLRACE_RUNS_DATABASE is not the URL of a PostgreSQL database" in capsys.readouterr().err
    monkeypatch.delenv("MILLRACE_RUNS_DATABASE")
    (places / "file").touch()
    monkeypatch.setenv("MILLRACE_TRAINING_RUNS", str(places / "file" / "runs"))
    assert main(["runs"]) == 1
    assert "the database of runs cannot be used" in capsys.readouterr().err
