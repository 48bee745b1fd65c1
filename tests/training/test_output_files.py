"""What a command writes has the kind that its name says, and replaces nothing that the command reads."""

from __future__ import annotations

from pathlib import Path

import pytest

from training.__main__ import main
from training.errors import TrainingError
from training.output_files import ARCHIVE, TABLE, check_output, check_table_or_directory

PREDICT = ["predict", "--model", "m"]
CARD = ["registry", "model-card", "m"]
SPINE = "plant,machine,as_of,celsius\nplant|1,m1,2024-10-10T00:00:00Z,20.5\n"


@pytest.mark.parametrize(
    ("command", "option", "name", "kinds"),
    [
        ([*PREDICT, "--from", "2024-10-08", "--to", "2024-10-10"], "-o", "x.csv", ".parquet"),
        ([*PREDICT, "--features", "f.parquet"], "-o", "x", ".parquet"),
        (["dataset"], "--output", "x.csv", ".parquet"),
        (["dataset"], "--output", "x.JSONL", ".parquet"),
        (["gap"], "--html", "x.csv", ".html, .htm"),
        (CARD, "-o", "card.pdf", ".md, .markdown, .txt, .html, .htm"),
        (["runs", "export", "r"], "-o", "r.zip", ".tar.gz, .tgz"),
    ],
)
def test_a_kind_that_is_not_written_is_refused_before_anything_is_read(
    command: list[str], option: str, name: str, kinds: str, places: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """`predict -o x.csv` wrote Parquet under that name, and `dataset --output x.csv` made a directory of it."""
    output = places / name
    assert main([*command, option, str(output)]) == 1
    said = capsys.readouterr().err
    assert str(output) in said
    assert f"Give a name that ends in {kinds}" in said
    assert not output.exists()


@pytest.mark.parametrize(
    "command", [[*PREDICT, "--features"], [*PREDICT, "--spine"], ["dataset", "--spine"]], ids=lambda each: each[-1]
)
def test_no_file_that_is_read_is_replaced(command: list[str], places: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The spine of a user was gone, and the predictions stood in its place."""
    spine, link = places / "spine.parquet", places / "link.parquet"
    spine.write_text(SPINE)
    link.symlink_to(spine)
    for output in (spine, places / "." / ".." / places.name / "spine.parquet", link):
        assert main([*command, str(spine), "--output", str(output)]) == 1
        assert "would replace them. Give another name." in capsys.readouterr().err
    assert spine.read_text() == SPINE


def test_a_name_in_upper_case_or_of_a_file_that_is_there_is_written(tmp_path: Path) -> None:
    there = tmp_path / "x.PARQUET"
    there.write_bytes(b"of yesterday")
    check_output(there, TABLE, tmp_path / "spine.csv", None)
    check_output(tmp_path / "r.tar.gz", ARCHIVE)
    check_table_or_directory(tmp_path / "v1.2")


def test_a_directory_is_no_file(tmp_path: Path) -> None:
    (tmp_path / "x.parquet").mkdir()
    with pytest.raises(TrainingError, match=r"It is a directory\. Give the name of a file in it"):
        check_output(tmp_path / "x.parquet", TABLE)
