"""Whoever looks on knows what a training run does, of how much, and for how long."""

from training.progress import PROGRESS_FILE, Doing, StepProgress, doing_now


def test_it_says_the_step_what_it_does_of_how_much_and_the_seconds_in_steps_of_ten():
    doing = Doing("fit", 1_000_000, "fitting random_forest on 1,286 rows", 2, 3)
    assert doing.describe(5_000_000) == "step fit: fitting random_forest on 1,286 rows (2 of 3)"
    assert doing.describe(48_900_000).endswith(" (2 of 3), 40 s")
    assert Doing("export", 0).describe(20_000_000) == "step export, 20 s"


def test_it_is_there_while_a_step_is_done_and_gone_afterwards(tmp_path):
    for name in ("20261129T100000", "20261129T110000"):
        (tmp_path / name).mkdir()
    progress = StepProgress(tmp_path / "20261129T110000", "dataset")
    assert (begun := doing_now(tmp_path)) is not None
    assert (begun.step, begun.says) == ("dataset", "")
    progress("reading 12,000 rows", 1, 2)
    found = doing_now(tmp_path)
    assert found is not None
    assert (found.step, found.says, found.part, found.of) == ("dataset", "reading 12,000 rows", 1, 2)
    progress.end()
    assert doing_now(tmp_path) is None
    assert not list((tmp_path / "20261129T110000").iterdir())


def test_a_run_that_was_removed_meanwhile_is_left_alone(tmp_path):
    """An erasure removes the folder of a run: its progress must not bring it back."""
    progress = StepProgress(tmp_path / "gone", "fit")
    progress("fitting", 1, 3)
    progress.end()
    assert not (tmp_path / "gone").exists()
    assert doing_now(tmp_path) is None


def test_an_unreadable_file_is_no_answer(tmp_path):
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / PROGRESS_FILE).write_text("{")
    assert doing_now(tmp_path) is None
    assert doing_now(tmp_path / "nowhere") is None
