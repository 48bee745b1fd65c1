"""Whoever looks on sees the steps of the run that began last."""

from pathlib import Path

from training.progress import PROGRESS_FILES, StepProgress
from training.steps.doing_now import doing_now
from training.steps.run_journal import Journal, write_journal


def begun(run: Path, number: int = 1) -> Path:
    run.mkdir()
    write_journal(run, Journal({}, {}, 0, {}, number=number))
    return run


def test_a_step_is_there_while_it_is_done_and_gone_afterwards(tmp_path):
    """The clock was set back between the two: by its name, the run that began last is the older one."""
    older, newer = begun(tmp_path / "20261129T110000", 1), begun(tmp_path / "20261129T100000", 2)
    StepProgress(older, "fit")  # it was killed
    progress = StepProgress(newer, "dataset")
    (found,) = doing_now(tmp_path)
    assert (found.step, found.says) == ("dataset", "")
    progress("reading 12,000 rows", 1, 2)
    (found,) = doing_now(tmp_path)
    assert (found.step, found.says, found.part, found.of) == ("dataset", "reading 12,000 rows", 1, 2)
    progress.end()
    assert doing_now(tmp_path) == []
    assert not list(newer.glob("*progress*"))


def test_steps_side_by_side_each_say_what_they_do_until_they_end(tmp_path):
    """They wrote one file: each overwrote what the other said, and the first to end took it away."""
    run = begun(tmp_path / "run")
    left, right = StepProgress(run, "left"), StepProgress(run, "right")
    left("scoring", 1, 2)
    right("exporting")
    assert [(each.step, each.says) for each in doing_now(tmp_path)] == [("left", "scoring"), ("right", "exporting")]
    left.end()
    assert [(each.step, each.says) for each in doing_now(tmp_path)] == [("right", "exporting")]


def test_an_unreadable_file_is_no_answer(tmp_path):
    (begun(tmp_path / "run") / PROGRESS_FILES.replace("*", "fit")).write_text("{")
    assert doing_now(tmp_path) == []
    assert doing_now(tmp_path / "nowhere") == []
