"""The section on features of past outcomes: its definitions, and when its outcomes are known."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from shared_features import load_definitions
from streaming.command_line import build_parser
from streaming.operations.produce.feed import feeds_of
from tests.docs.pages import page

HOUR_US = 3_600_000_000
AT_US = 1_790_000_000_000_000


def test_one_file_feeds_the_event_and_an_hour_later_its_outcome_with_its_key(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = page("docs/own-data.md")
    code = "".join(block.code for block in own.blocks() if block.language == "python")
    (tmp_path / "page_of_past_outcomes.py").write_text(code, encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    file = tmp_path / "readings.csv"
    file.write_text("reading,at,station,celsius,water_ml_used\n1,2026-09-21T14:13:20Z,north,21.5,310.0\n")
    (command,) = [line for block in own.blocks() for line in block.code.splitlines() if "water_used=+1h" in line]
    words = [str(file) if word == "readings.csv" else word for word in command.split()[1:]]
    readings, outcomes = feeds_of(load_definitions("page_of_past_outcomes"), build_parser().parse_args(words))
    ((read_us, *_),) = readings.outgoing(0, AT_US)
    ((known_us, _, _, key, value),) = outcomes.outgoing(1, AT_US)
    assert (known_us - read_us, key) == (HOUR_US, b"north")
    event = json.loads(value)
    assert (event["station"], event["at"], event["water_ml_used"]) == ("north", "2026-09-21T14:13:20Z", 310.0)
