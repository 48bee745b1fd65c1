"""The directories of the demo's runs: old ones go, running ones stay."""

from deploy.demo.stage.run_directories import KEPT, begin_run, forget_old


def test_the_newest_runs_stay_and_so_does_one_that_still_runs(tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "notes"))  # it is no stack that others are to find
    runs = tmp_path / "runs"
    running = begin_run(runs)
    with running.locked():
        for _ in range(KEPT + 2):
            begin_run(runs)
        forget_old(runs)
        assert running.path.exists()
        assert len(list(runs.iterdir())) == KEPT + 1
    forget_old(runs)
    assert not running.path.exists()
    assert len(list(runs.iterdir())) == KEPT


def test_what_the_demo_did_not_make_is_left_alone(tmp_path):
    (tmp_path / "0000-mine").mkdir()
    for _ in range(KEPT + 2):
        begin_run(tmp_path)
    forget_old(tmp_path)
    assert (tmp_path / "0000-mine").exists()
    assert len(list(tmp_path.iterdir())) == KEPT + 1
