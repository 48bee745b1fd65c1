"""Whoever looks on knows what a training run does, of how much, and for how long."""

from training.progress import PROGRESS_FILES, Doing, StepProgress, doing_now


def test_it_says_the_step_what_it_does_of_how_much_and_the_seconds_in_steps_of_ten():
    doing = Doing("fit", 1_000_000, "fitting random_forest on 1,286 rows", 2, 3)
    assert doing.describe(5_000_000) == "step fit: fitting random_forest on 1,286 rows (2 of 3)"
    assert doing.describe(48_900_000).endswith(" (2 of 3), 40 s")
    assert Doing("export", 0).describe(20_000_000) == "step export, 20 s"


def test_it_is_there_while_a_step_is_done_and_gone_afterwards(tmp_path):
    for name in ("20261129T100000", "20261129T110000"):
        (tmp_path / name).mkdir()
    progress = StepProgress(tmp_path / "20261129T110000", "dataset")
    (begun,) = doing_now(tmp_path)
    assert (begun.step, begun.says) == ("dataset", "")
    progress("reading 12,000 rows", 1, 2)
    (found,) = doing_now(tmp_path)
    assert (found.step, found.says, found.part, found.of) == ("dataset", "reading 12,000 rows", 1, 2)
    progress.end()
    assert doing_now(tmp_path) == []
    assert not list((tmp_path / "20261129T110000").iterdir())


def test_steps_side_by_side_each_say_what_they_do_until_they_end(tmp_path):
    """They wrote one file: each overwrote what the other said, and the first to end took it away."""
    (tmp_path / "run").mkdir()
    left, right = StepProgress(tmp_path / "run", "left"), StepProgress(tmp_path / "run", "right")
    left("scoring", 1, 2)
    right("exporting")
    assert [(each.step, each.says) for each in doing_now(tmp_path)] == [("left", "scoring"), ("right", "exporting")]
    left.end()
    assert [(each.step, each.says) for each in doing_now(tmp_path)] == [("right", "exporting")]


def test_a_run_that_was_removed_meanwhile_is_left_alone(tmp_path):
    """An erasure removes the folder of a run: its progress must not bring it back."""
    progress = StepProgress(tmp_path / "gone", "fit")
    progress("fitting", 1, 3)
    progress.end()
    assert not (tmp_path / "gone").exists()
    assert doing_now(tmp_path) == []


def test_an_unreadable_file_is_no_answer(tmp_path):
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / PROGRESS_FILES.replace("*", "fit")).write_text("{")
    assert doing_now(tmp_path) == []
    assert doing_now(tmp_path / "nowhere") == []
