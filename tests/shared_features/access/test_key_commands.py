"""A key is shown once, on standard output alone; what is listed afterwards is no secret."""

from __future__ import annotations

import argparse
from pathlib import Path

import pytest

from shared_features.access.key_commands import add_key_options, do_with_keys
from shared_features.access.key_file import read_keys
from shared_features.access.key_ring import KeyRing
from shared_features.errors import KeyFileError
from tests.docs.pages import page
from tests.docs.reader import Reader


@pytest.mark.slow
@pytest.mark.deep  # both verbs have tests here, and the command has one of its own
def test_the_lines_of_the_guide_make_a_key_and_list_it(tmp_path: Path) -> None:
    reader = Reader(tmp_path)
    block = next(each for each in page("docs/how-to/who-may-ask.md").blocks() if each.kind == "run by")
    reader.follow(block)
    assert [line.split()[:2] for line in reader.said.splitlines() if line.startswith("shop ")] == [["shop", "predict"]]
    assert [each.rows_per_s for each in read_keys(tmp_path / "var" / "keys")] == [5000.0]


def keys(file: Path | None, *arguments: str) -> int:
    parser = argparse.ArgumentParser()
    add_key_options(parser)
    return do_with_keys(parser.parse_args(arguments), file)


def test_a_key_is_made_listed_and_withdrawn(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "keys"
    assert keys(file, "new", "shop") == 0
    shop = capsys.readouterr()
    assert shop.out.startswith("millrace_")
    assert "shown this once" in shop.err
    made = ("new", "ci", "--scope", "predict,read", "--scope", "admin", "--requests-per-s", "50", "--rows-per-s", "900")
    assert keys(file, *made) == 0
    secret = capsys.readouterr().out.strip()
    found = KeyRing(read_keys(file)).find(secret.encode())
    assert found is not None
    assert (found.name, found.key.requests_per_s, found.key.rows_per_s) == ("ci", 50.0, 900.0)
    assert secret not in file.read_text()
    assert keys(file, "list") == 0
    assert [line.split() for line in capsys.readouterr().out.splitlines()] == [
        ["shop", "predict"],
        ["ci", "admin,predict,read", "requests=50", "rows=900"],
    ]
    assert keys(file, "remove", "ci") == 0
    assert KeyRing(read_keys(file)).find(secret.encode()) is None


def test_a_key_that_cannot_be_made_is_not_shown(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(KeyFileError, match="Set MILLRACE_API_KEYS_FILE"):
        keys(None, "new", "shop")
    for arguments, said in (
        (("new", "a b"), "'a b' is not a name of a key"),
        (("new", "a", "--scope", "write"), "There is no scope 'write'"),
        (("new", "a", "--rows-per-s", "-1"), "A limit of key a is -1"),
    ):
        with pytest.raises(KeyFileError, match=said):
            keys(tmp_path / "keys", *arguments)
    assert capsys.readouterr().out == ""
    assert not (tmp_path / "keys").exists()
