"""What the command line of the demo accepts, and how it refuses the rest."""

import pytest

from deploy.demo.options import parse_options


def test_generated_traffic_is_disturbed_and_a_file_is_not(tmp_path):
    (tmp_path / "file.parquet").touch()
    generated, file = parse_options([]), parse_options(["--data", str(tmp_path / "file.parquet")])
    assert (generated.late, generated.duplicate, generated.malformed) == (0.01, 0.005, 0.001)
    assert (file.late, file.duplicate, file.malformed) == (0.0, 0.0, 0.0)
    asked = parse_options(["--data", str(tmp_path / "file.parquet"), "--late", "0.2"])
    assert (asked.late, asked.duplicate) == (0.2, 0.0)


def test_paths_are_those_of_the_folder_the_person_stands_in(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert parse_options(["--json", "facts.json"]).json == tmp_path / "facts.json"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--data", "missing.parquet"], "There is no file missing.parquet"),
        (["--days", "16"], "17 to 3650 days"),
        (["--late", "1.5"], "a share from 0 to 1"),
        (["--rate", "0"], "above 0"),
        (["--customers", "0"], "1 or more"),
    ],
)
def test_what_cannot_be_done_is_refused_with_what_to_give(arguments, said, capsys):
    with pytest.raises(SystemExit, match="2"):
        parse_options(arguments)
    assert said in capsys.readouterr().err
