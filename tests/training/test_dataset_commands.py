"""`python -m training dataset`, as it is typed."""

import shutil
from pathlib import Path

import polars as pl
import pytest

from shared_features.formats.dataset_manifest import PINNED_FOLDER
from training.__main__ import main

OPTIONS = ["--train-days", "6", "--delay-days", "1", "--test-days", "3"]


def test_a_directory_is_exported_and_built_again(places: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = str(places / "mine")
    assert main(["dataset", *OPTIONS, "--output", out]) == 0
    said = capsys.readouterr().out
    assert f"features of breakdown:v1: {out}\n" in said
    assert main(["dataset", "rebuild", out]) == 0
    assert "built again: bit for bit that of" in capsys.readouterr().out
    assert main(["dataset", *OPTIONS, "--output", out]) == 1
    assert "is there already" in capsys.readouterr().err


def test_a_spine_is_exported_pinned_and_unpinned(
    places: Path, machine_lake: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copytree(machine_lake, places / "lake")
    monkeypatch.setenv("MILLRACE_LAKE", str(places / "lake"))
    spine, out = places / "spine.csv", str(places / "mine")
    spine.write_text("plant,machine,as_of,celsius,customer\nplant|1,m1,2024-10-10T00:00:00Z,20.5,x\n")
    pins = places / "lake" / PINNED_FOLDER
    assert main(["dataset", "--spine", str(spine), "--output", out, "--pin"]) == 0
    assert "1 row with 10 features of breakdown:v1, as-served: " in (said := capsys.readouterr().out)
    assert f"pinned as {next(pins.glob('*.json')).stem}" in said
    assert main(["dataset", "rebuild", out]) == 0
    assert main(["dataset", "unpin", out]) == 0
    assert list(pins.glob("*.json")) == []
    assert main(["dataset", "pin", out]) == 0
    assert len(list(pins.glob("*.json"))) == 1
    assert pl.read_parquet(Path(out) / "data.parquet")["customer"].to_list() == ["x"]


def test_what_cannot_be_done_says_what_to_type(places: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for arguments, sentence in (
        (["rebuild"], "Name an exported dataset"),
        (["rebuild", str(places)], "holds no dataset"),
        (["--pin"], "Add --output DIR"),
        (["--pin", "--output", "x.parquet"], "Add --output DIR"),
        (["--spine", "x.csv"], "Add --output DIR or FILE.parquet"),
        (["--from", "2024-10-10"], "Add --output DIR or FILE.parquet"),
        (["--spine", "x.csv", "--output", "x.parquet", "--train-days", "3"], "It takes no --train-days. Leave"),
        (["--to", "2024-10-10", "--output", "x", "--entity", "plant"], "It takes no --entity. Leave"),
        (["--to", "2004-10-10", "--output", "x"], "has no row from 1970"),
    ):
        assert main(["dataset", *arguments]) == 1
        assert sentence in capsys.readouterr().err


def test_all_events_of_a_span_and_a_spine_with_labels_are_exported(places: Path) -> None:
    span = ["--from", "2024-10-08", "--to", "2024-10-10", "--cutoff", "2024-10-09"]
    assert main(["dataset", *span, "--output", str(places / "span")]) == 0
    assert main(["dataset", "rebuild", str(places / "span")]) == 0
    rows = pl.read_parquet(places / "span" / "data.parquet")
    assert rows["label"].null_count() > len(rows) / 3, "labels of the second day had not arrived"
    rows.select("reading", "plant", "machine", "as_of", celsius=20.0).write_parquet(places / "spine.parquet")
    mine = ["--spine", str(places / "spine.parquet"), "--with-labels", "--cutoff", "2024-10-09"]
    assert main(["dataset", *mine, "--output", str(places / "mine")]) == 0
    assert main(["dataset", "rebuild", str(places / "mine")]) == 0
    assert pl.read_parquet(places / "mine" / "data.parquet")["label"].equals(rows["label"], null_equal=True)


def test_the_windows_of_the_view_s_model_do_not_forbid_a_span_or_a_spine(
    places: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A view whose model names a split could export neither: the windows of the model counted as typed ones."""
    windows = "Split(train=days(6), gap=days(1), test=days(3))"
    (places / "windowed_models.py").write_text(
        "from shared_features import days\nfrom training.definitions import Model, Split\n\n"
        f'WINDOWED = Model("windowed", view="breakdown", split={windows})\n'
    )
    monkeypatch.syspath_prepend(places)
    monkeypatch.setenv("MILLRACE_MODELS", "windowed_models")
    spine = places / "spine.csv"
    spine.write_text("plant,machine,as_of,celsius\nplant|1,m1,2024-10-10T00:00:00Z,20.5\n")
    for number, rows in enumerate((["--spine", str(spine)], ["--from", "2024-10-09", "--to", "2024-10-10"])):
        assert main(["dataset", *rows, "--output", str(places / f"{number}.parquet")]) == 0


@pytest.mark.parametrize(
    ("options", "columns", "sentence"),
    [
        (["--with-labels"], {}, "lacks reading, on which labels of 'breakdowns' join"),
        (["--split", "column:side"], {}, "have no column 'side' to divide them by. They have plant, machine"),
        (["--split", "column:side"], {"side": "tset"}, "Column 'side' does not divide the rows. It has 'tset'"),
        (["--split", "column:side"], {"side": "test"}, "has no row to train"),
        (["--split", "stratified:side"], {}, "have no column 'side' to stratify them by"),
        (["--split", "stratified"], {}, "have no label to stratify them by"),
        (["--split", "thirds"], {}, "Rows cannot be divided by 'thirds'"),
        (["--split", "folds:2"], {"fold_2": "x"}, "have a column 'fold_2' already"),
        (["--split", "entity"], {"window": "x"}, "have a column 'window' already"),
    ],
)
def test_what_the_spine_alone_refuses_is_refused_before_its_features_are_computed(
    options: list[str],
    columns: dict[str, str],
    sentence: str,
    places: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """A column that was not there was told after the replay. Here no event is stored that could be replayed."""
    monkeypatch.setenv("MILLRACE_LAKE", str(places / "no lake"))
    given = {"plant": "plant|1", "machine": "m1", "as_of": "2024-10-10T00:00:00Z", "celsius": 20.5, **columns}
    pl.DataFrame([given]).write_parquet(places / "spine.parquet")
    arguments = ["dataset", "--spine", str(places / "spine.parquet"), "--output", str(places / "out")]
    assert main([*arguments, *options]) == 1
    assert sentence in capsys.readouterr().err


def test_rows_are_divided_by_the_value_of_a_feature(places: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The spine lacks the column, and the dataset has it."""
    at = [f"2024-10-{day:02}T00:00:00Z" for day in range(5, 15)]
    rows = pl.DataFrame({"plant": "plant|1", "machine": "m1", "as_of": at, "celsius": 20.5})
    rows.write_parquet(places / "spine.parquet")
    arguments = ["dataset", "--spine", str(places / "spine.parquet"), "--output", str(places / "out")]
    assert main([*arguments, "--split", "column:hot_plant__count_2h"]) == 1
    assert "Column 'hot_plant__count_2h' does not divide the rows" in capsys.readouterr().err
