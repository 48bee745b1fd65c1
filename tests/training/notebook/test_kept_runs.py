from pathlib import Path

from shared_features.kernel.event_time import to_us
from training.notebook.kept_runs import kept_runs
from training.steps.run_journal import FAILED, Journal, StepEntry, write_journal


def test_the_newest_run_comes_first_with_its_last_words(tmp_path: Path) -> None:
    steps = {name: StepEntry("run", f"{name} is done", 1.0, "") for name in ("dataset", "fit")}
    for name, journal in (
        ("a/1", Journal({}, {}, 1_000_000, steps)),
        ("b/1", Journal({}, {}, 3_000_000, {}, FAILED, 4_000_000, "no rows")),
        ("b/0", Journal({}, {}, 2_000_000, {})),
    ):
        (tmp_path / name).mkdir(parents=True)
        write_journal(tmp_path / name, journal)
    (tmp_path / "b" / "no journal").mkdir()
    found = kept_runs(tmp_path)
    assert found.select("view", "run").rows() == [("b", "1"), ("b", "0"), ("a", "1")]
    assert found["says"].to_list() == ["no rows", "", "fit is done"]
    assert found["steps"].to_list() == [0, 0, 2]
    assert [to_us(each) for each in found["began"]] == [3_000_000, 2_000_000, 1_000_000]
    assert kept_runs(tmp_path / "nowhere").columns == found.columns
