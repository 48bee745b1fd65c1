"""`catalogue` lists the definitions, with everything else down."""

import json
from typing import Any

import pytest

from streaming.__main__ import main


@pytest.fixture
def nothing_is_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MILLRACE_DEFINITIONS", "tests.domains.machines")
    monkeypatch.setenv("KAFKA_BOOTSTRAP_SERVERS", "nowhere.invalid:1")
    monkeypatch.setenv("REDIS_URL", "redis://nowhere.invalid:1/0")


def test_it_says_in_lines_what_a_person_asks(nothing_is_up: Any, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["catalogue"]) == 0
    lines = [" ".join(line.split()) for line in capsys.readouterr().out.splitlines()]
    assert "source readings: topic plant.readings" in lines
    assert "celsius Number with 1 decimal, -80 to 500" in lines
    assert "group hot_plant:v1: of plant (plant), from readings, where celsius > 60.0" in lines
    assert "read by: breakdown:v1" in lines
    assert "machine_heat__celsius_first_1h 1h by 1m First celsius over 1 hour nothing" in lines
    assert "view breakdown:v1: on readings, labels from breakdowns.broke" in lines
    assert "above_mean_1h on-demand Degrees above the machine's mean of the hour. NaN without history" in lines


def test_machines_get_json(nothing_is_up: Any, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["catalogue", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert [each["label"] for each in found["groups"]] == ["hot_plant:v1", "machine_heat:v3"]
