"""Whoever looks on knows what a training run does, of how much, and for how long."""

from training.progress import Doing, StepProgress


def test_it_says_the_step_what_it_does_of_how_much_and_the_seconds_in_steps_of_ten():
    doing = Doing("fit", 1_000_000, "fitting random_forest on 1,286 rows", 2, 3)
    assert doing.describe(5_000_000) == "step fit: fitting random_forest on 1,286 rows (2 of 3)"
    assert doing.describe(48_900_000).endswith(" (2 of 3), 40 s")
    assert Doing("export", 0).describe(20_000_000) == "step export, 20 s"


def test_a_run_that_was_removed_meanwhile_is_left_alone(tmp_path):
    """An erasure removes the folder of a run: its progress must not bring it back."""
    progress = StepProgress(tmp_path / "gone", "fit")
    progress("fitting", 1, 3)
    progress.end()
    assert not (tmp_path / "gone").exists()
