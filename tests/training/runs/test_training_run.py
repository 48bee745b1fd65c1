import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import polars as pl
import pyarrow as pa
import pytest
from deltalake import DeltaTable

from shared_features.definitions import load_definitions
from shared_features.formats.model_manifest import TREES_FILE, check_manifest
from shared_features.formats.offline_tables import OFFSET, PARTITION
from shared_features.formats.training_run import RESULTS_FOLDER
from streaming.operations.erasure.stores.training_runs import count_results, remove_runs, runs_with
from tests.domains.machines import BREAKDOWN
from tests.serving.tracing.collector import collecting
from training.__main__ import main
from training.models.candidates import fit_model
from training.models.graph import onnx_export
from training.models.graph.onnx_export import open_session, run_session
from training.registry.aliases import Aliases
from training.registry.verification import verify_version
from training.registry.versions import Registry
from training.runs.plan.run_parameters import RunParameters
from training.runs.records import run_folders
from training.runs.training_run import begin_run, end_run
from training.settings import load_settings
from training.steps.run_journal import journals, read_journal

ROOT = Path(__file__).parents[3]
OPTIONS = ["--train-days", "6", "--delay-days", "1", "--test-days", "3", "--top", "5"]


def test_a_run_ends_in_a_certified_champion_and_another_one_changes_nothing(places, capsys):
    assert main(["run", *OPTIONS]) == 0
    said, log = capsys.readouterr()
    for how_far in ("feature rows of machine_heat:v3", "fitting random_forest on ", "2 of 3", "comparing "):
        assert how_far in log, "each long step says how far it is"
    assert "parity passed" in said
    assert "version 1 is champion, before there was no champion" in said
    registry = Registry(places / "registry")
    manifest = registry.manifest("breakdown", 1)
    check_manifest(manifest, BREAKDOWN)
    path = Path(registry.where("breakdown", 1))
    metrics = json.loads((path / "metrics.json").read_text())
    assert set(metrics["models"]) == {"hist_gradient_boosting", "random_forest", "logistic_regression"}
    assert metrics["models"][metrics["chosen"]]["roc_auc"] > 0.8
    assert "precision_at_5_per_day" in metrics["models"][metrics["chosen"]]
    assert json.loads((path / "dataset.json").read_text())["digest"] == manifest.dataset_digest
    assert "# Model card of breakdown" in (path / "card.md").read_text()
    assert "<figcaption>Calibration</figcaption>" in (path / "card.html").read_text()
    assert verify_version(registry, "breakdown", 1).faults == ()
    unknown = np.full((2, len(manifest.view.features)), np.nan, np.float32)
    assert np.isfinite(run_session(open_session((path / "model.onnx").read_bytes()), unknown)).all()

    assert main(["run", *OPTIONS]) == 0
    said = capsys.readouterr().out
    assert said.count("skipped (same code, parameters and inputs)") == 7
    assert "the same model was published before" in said
    assert "version 1 is champion already" in said

    assert main(["run", *OPTIONS, "--explain", "--top", "7"]) == 0
    told = dict(line.split(maxsplit=1) for line in capsys.readouterr().out.splitlines())
    assert told["fit"].startswith("skipped")
    assert told["evaluate"] == "run      k changed from 5 to 7"
    assert told["export"] == "open     runs, unless evaluate give equal results"

    assert main(["run", *OPTIONS, "--models", "hist_gradient_boosting", "--gate-tolerance=-1"]) == 0
    said = capsys.readouterr().out
    assert "version 2 stays a challenger, version 1 was champion" in said
    assert "on the same rows" in said
    assert "with 95% confidence, the difference is from" in said
    verdicts = [word for word in said.partition("== the gate\n")[2].split() if word in ("verdict", "pass", "FAIL")]
    assert verdicts[:3] == ["verdict", "pass", "FAIL"]
    decided = json.loads((newest(places) / "promote" / "promotion.json").read_text())
    assert decided["comparison"]["verdict"] in ("better", "equal", "worse")
    assert decided["stability"]["rank_correlation"] > 0.5, "both learned from the same rows"
    assert TREES_FILE in registry.files("breakdown", 2), "boosted trees are trees alone, which the endpoint walks"
    assert decided["costs"]["champion"]["graph_bytes"] == registry.files("breakdown", 1)["model.onnx"]
    assert "rank correlation with the champion's scores >= 0.8" in said
    assert main(["promote", "2"]) == 0
    assert main(["models"]) == 0
    assert "hist_gradient_boosting" in capsys.readouterr().out
    assert Aliases(registry).of("breakdown") == {"champion": 2}


def steps(run):
    return {name: entry.done for name, entry in read_journal(run).steps.items()}


def newest(places):
    return max((places / "runs" / "breakdown").iterdir())


def test_tables_that_were_compacted_build_the_dataset_again_and_fit_nothing(places, machine_lake, monkeypatch):
    lake = shutil.copytree(machine_lake, places / "lake")
    monkeypatch.setenv("MILLRACE_LAKE", str(lake))
    options = [*OPTIONS, "--models", "logistic_regression"]
    assert main(["run", *options]) == 0
    assert set(steps(newest(places)).values()) == {"run", "effect"}
    for table in lake.iterdir():
        DeltaTable(table).optimize.compact()
    assert main(["run", *options]) == 0
    found = steps(newest(places))
    assert found.pop("dataset") == "run"
    assert set(found.values()) == {"skipped", "effect"}
    changed = read_journal(newest(places)).steps["dataset"].reason
    assert "data.tables.events_readings.version changed from 2 to 3" in changed

    # An erasure reaches the rows, what was made from them, and the runs that used them.
    rows = pl.read_parquet(newest(places) / "dataset" / "rows.parquet")
    for position, count in ((rows.row(0)[:2], 2), ((0, 10**9), 0)):
        gone = pa.table({PARTITION: pa.array([position[0]], pa.int32()), OFFSET: pa.array([position[1]], pa.int64())})
        held = runs_with(places / "runs", load_definitions("tests.domains.machines"), {"readings": gone})
        assert len(held) - count_results(held) == count
        kinds = sorted(step.name for each in held for step in each.iterdir() if each.parent.name == RESULTS_FOLDER)
        made = {"certify", "dataset", "evaluate", "export", "fit", "leaks", "validate"}
        assert {kind for kind in kinds if not kind.endswith(".json")} == (made if count else set())
        remove_runs(held)
    assert main(["run", *options, "--explain"]) == 0


def test_a_run_that_changes_nothing_imports_no_library_that_learns(places):
    options = [*OPTIONS, "--models", "logistic_regression"]
    assert main(["run", *options]) == 0
    program = (
        "import sys; from training.__main__ import main; assert main(sys.argv[1:]) == 0; "
        "assert not {'sklearn', 'skl2onnx', 'onnx', 'onnxruntime', 'pandas', 'polars', 'dbos'} & sys.modules.keys()"
    )
    subprocess.run([sys.executable, "-c", program, "run", *options], check=True, cwd=Path(__file__).parents[3])
    assert list(steps(newest(places)).values()) == ["skipped"] * 7 + ["effect"] * 2


def test_old_runs_go_and_what_only_they_had_goes_with_them(places, monkeypatch):
    monkeypatch.setenv("MILLRACE_TRAINING_RUNS_KEPT", "1")
    for seed in ("1", "2"):
        assert main(["dataset", *OPTIONS[:-2], "--seed", seed]) == 0
    results = [each for each in (places / "runs" / RESULTS_FOLDER).iterdir() if each.is_dir()]
    assert [(newest(places) / "dataset").resolve()] == [each / "dataset" for each in results]
    assert len(list((places / "runs" / "breakdown").iterdir())) == 1


HOLDER = """
import sys, time
from pathlib import Path
from training.steps.run_journal import hold

hold(Path(sys.argv[1]))
print("held", flush=True)
time.sleep(600)
"""


def test_the_newest_run_that_succeeded_stays_however_many_fail_after_it(places, monkeypatch):
    """Its cut was forgotten after a few failures, and everything that is stored was new to a schedule."""
    monkeypatch.setenv("MILLRACE_TRAINING_RUNS_KEPT", "1")
    settings, parameters = load_settings(), RunParameters(BREAKDOWN)
    runs = [begin_run(settings, parameters, now_us=at) for at in (1_000_000, 2_000_000, 3_000_000, 4_000_000)]
    for run, error in zip(runs, ("", "", "no memory", "no memory"), strict=True):
        end_run(settings, run, 5_000_000, error)
    assert [run.is_dir() for run in runs] == [False, True, False, True]


def test_a_run_that_ends_is_sent_as_a_trace_that_shows_where_it_failed(places, monkeypatch):
    with collecting() as collector:
        for name, value in {
            "MILLRACE_TRACES": "true", "OTEL_EXPORTER_OTLP_ENDPOINT": collector.url, "NO_PROXY": "127.0.0.1",
        }.items():  # fmt: skip
            monkeypatch.setenv(name, value)
        settings = load_settings()
        run = begin_run(settings, RunParameters(BREAKDOWN), now_us=1_000_000)
        assert not collector.seen
        end_run(settings, run, 5_000_000, "no memory")
        (root,) = collector.wait_for("training run")
        assert [(each.name, each.is_error) for each in collector.below(root)] == [("dataset", True)]


def test_a_run_that_a_process_does_stays_however_long_it_waits_and_however_the_clock_steps(places, monkeypatch):
    monkeypatch.setenv("MILLRACE_TRAINING_RUNS_KEPT", "1")
    settings, parameters = load_settings(), RunParameters(BREAKDOWN)
    old = begin_run(settings, parameters, now_us=1_000_000)
    new = begin_run(settings, parameters, now_us=1_700_000_000_000_000)
    end_run(settings, new, now_us=1_700_000_000_000_000)
    assert old.is_dir(), "it was killed 53 years ago by the clock, and may be continued"
    monkeypatch.setattr(run_folders, "_UNFINISHED_KEPT", 1)  # enough others have begun after it
    with subprocess.Popen([sys.executable, "-c", HOLDER, str(old)], stdout=subprocess.PIPE, text=True) as holder:
        try:
            assert holder.stdout is not None
            assert holder.stdout.readline() == "held\n"
            end_run(settings, new, now_us=1_700_000_000_000_000)
            assert old.is_dir()
        finally:
            holder.kill()
            holder.wait()
    end_run(settings, new, now_us=1_700_000_000_000_000)
    assert not old.exists()
    assert new.is_dir()


def test_the_run_that_began_last_is_the_newest_though_the_clock_was_set_back(places, monkeypatch):
    """Runs were sorted by the names of their folders, which say when they began: the newest run was forgotten."""
    monkeypatch.setenv("MILLRACE_TRAINING_RUNS_KEPT", "1")
    settings, parameters = load_settings(), RunParameters(BREAKDOWN)
    before = begin_run(settings, parameters, now_us=1_700_000_000_000_000)
    end_run(settings, before, now_us=1_700_000_000_000_000)
    after = begin_run(settings, parameters, now_us=1_600_000_000_000_000)
    assert [run for run, _ in journals(after.parent)] == [after, before]
    end_run(settings, after, now_us=1_600_000_000_000_000)
    assert [run for run, _ in journals(after.parent)] == [after]
    assert not before.exists()


def test_a_run_whose_process_was_killed_before_its_journal_was_written_begins(places):
    settings, parameters = load_settings(), RunParameters(BREAKDOWN)
    (settings.training_runs / "breakdown" / "one").mkdir(parents=True)
    run = begin_run(settings, parameters, now_us=1_000_000, name="one")
    assert read_journal(run).number == 1
    assert begin_run(settings, parameters, now_us=2_000_000, name="one") == run
    assert read_journal(run).began_at_us == 1_000_000


def test_a_registry_that_cannot_be_written_is_one_sentence_and_the_next_run_only_publishes(places, capsys, monkeypatch):
    (places / "file").touch()
    options = [*OPTIONS, "--models", "logistic_regression"]
    monkeypatch.setenv("MILLRACE_REGISTRY", str(places / "file" / "registry"))
    monkeypatch.setattr("training.models.metrics.chance._ROC_AUC", 0.99)
    assert main(["run", *options]) == 1
    said = capsys.readouterr()
    assert "step 'publish' stopped: [Errno 20] Not a directory" in said.err
    assert "is hardly better than chance: roc_auc" in said.out, "the line of evaluate says it"
    assert read_journal(newest(places)).status == "failed"
    monkeypatch.setenv("MILLRACE_REGISTRY", str(places / "registry"))
    assert main(["run", *options]) == 0
    assert capsys.readouterr().out.count("skipped") == 7


def test_a_failed_certificate_blocks_publication(places, capsys, monkeypatch):
    export = onnx_export.export_onnx
    monkeypatch.setattr(
        "training.runs.actions.model_steps.export_onnx", lambda pipeline, features, task: other_model(export, features)
    )
    assert main(["run", *OPTIONS, "--models", "logistic_regression"]) == 1
    assert "nothing was published" in capsys.readouterr().err
    assert Registry(places / "registry").versions("breakdown") == []


def other_model(export, features):
    random = np.random.default_rng(0)
    matrix = random.normal(size=(100, features)).astype(np.float32)
    return export(fit_model("logistic_regression", matrix, (matrix[:, 0] > 0).astype(float), 0)[0], features)


ON_A_FULL_DISK = """
import resource, sys
from training.__main__ import main
from training.runs import training_run

perform = training_run.perform_step

def full_from_now_on(settings, run, name):
    if name == {step!r}:
        resource.setrlimit(resource.RLIMIT_FSIZE, ({room}, {room}))
    return perform(settings, run, name)

training_run.perform_step = full_from_now_on
sys.exit(main(sys.argv[1:]))
"""


@pytest.mark.parametrize("room", [0, 30_000], ids=["no byte more", "the journal and no dataset"])
def test_a_disk_that_is_full_ends_the_run_with_its_reason_and_the_next_run_does_the_rest(places, room):
    """With no room for the journal either, the reason was lost behind a traceback of the journal."""
    options = ["dataset", *OPTIONS[:-2]]
    program = ON_A_FULL_DISK.format(step="dataset", room=room)
    done = subprocess.run([sys.executable, "-c", program, *options], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert ("the disk may be full" if room else "File too large") in done.stderr
    assert not (places / "registry").exists()
    assert newest(places).is_dir()
    if room:
        assert read_journal(newest(places)).status == "failed"
    assert main(options) == 0
    assert set(steps(newest(places)).values()) == {"run"}
