"""`gap` as people run it: a table or a document, with a lag, a standstill, and what training on either truth does."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from training.__main__ import main

OPTIONS = ["gap", "--view", "breakdown", "--rows", "300"]
WINDOWS = ["--train-days", "6", "--delay-days", "1", "--test-days", "3"]


def test_the_gap_is_a_table_and_a_document(places: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(OPTIONS) == 0
    said = capsys.readouterr().out.splitlines()
    assert said[0].startswith("breakdown:v1: ")
    assert said[1].split()[:2] == ["feature", "rows"]
    assert main([*OPTIONS, "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    heat = document["features"]["hot_plant__count_2h"]
    assert heat["whole"]["rows"] == sum(each["rows"] for each in heat["causes"].values()) > 0


def test_a_lag_and_a_standstill_make_it_larger_and_the_fit_is_told(
    places: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    more = ["--lag", "1800", "--stood-still", "2024-10-06", "2024-10-09", "--json"]
    assert main([*OPTIONS, *more]) == 0
    causes = json.loads(capsys.readouterr().out)["features"]["hot_plant__count_2h"]["causes"]
    assert causes["stream lag"]["rows"] > 0
    assert causes["catch-up"]["rows"] > 0
    assert main([*OPTIONS, *WINDOWS, "--fit", "--html", str(places / "gap.html")]) == 0
    said = capsys.readouterr().out
    assert "  trained as served: roc_auc 0." in said
    assert "  trained in event time: roc_auc 0." in said
    page = (places / "gap.html").read_text()
    assert "As-served gap of breakdown:v1" in page
    assert "<td>trained in event time</td><td>0." in page


def test_what_says_how_to_fit_is_refused_where_nothing_is_fitted(
    places: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Windows and a cutoff were ignored without a word: the gap is one of all rows that are stored."""
    for options, named in (
        (["--train-from", "2024-10-08"], "--train-from"),
        ([*WINDOWS, "--entity", "plant"], "--train-days, --delay-days, --test-days, --entity"),
        (["--cutoff", "2024-10-09"], "--cutoff"),
    ):
        assert main([*OPTIONS, *options]) == 1
        assert f"It takes no {named} without --fit. Add --fit, or leave" in capsys.readouterr().err
