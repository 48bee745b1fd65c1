"""The directories of the demo's runs: old ones go, running ones stay."""

from deploy.demo.stage.run_directory import KEPT, RunDirectory, forget_old


def test_the_newest_runs_stay_and_so_does_one_that_still_runs(tmp_path):
    running = RunDirectory(tmp_path)
    for _ in range(KEPT + 2):
        RunDirectory(tmp_path).close()
    forget_old(tmp_path)
    assert running.path.exists()
    assert len(list(tmp_path.iterdir())) == KEPT + 1
    running.close()
    forget_old(tmp_path)
    assert not running.path.exists()


def test_what_the_demo_did_not_make_is_left_alone(tmp_path):
    (tmp_path / "0000-mine").mkdir()
    for _ in range(KEPT + 1):
        RunDirectory(tmp_path).close()
    assert (tmp_path / "0000-mine").exists()
