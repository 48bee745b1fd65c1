"""The progress of a `produce`: a bar on a screen, plain lines elsewhere."""

import pytest

from streaming.operations.produce import progress
from streaming.operations.produce.progress import ProduceProgress

AT_US = 1_700_000_000_000_000


@pytest.fixture(autouse=True)
def at_once(monkeypatch):
    """Each row is told: nothing is too soon."""
    monkeypatch.setattr(progress, "_SAY_S", 0.0)
    monkeypatch.setattr(progress, "_DRAW_S", 0.0)


def run(*, on_screen):
    with ProduceProgress(on_screen=on_screen) as shown:
        rows = list(shown.reading([AT_US, AT_US + 1_000_000]))
        for row in rows:
            shown.sending(row)
    return shown


def test_lines_say_how_many_of_how_many_and_up_to_when(capsys):
    assert run(on_screen=False).sent == 2
    said = capsys.readouterr().out
    assert "2 of 2 rows sent, up to 2023-11-14T22:13:21Z" in said
    assert "\x1b" not in said


def test_a_bar_ends_full(monkeypatch, capsys):
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "120")
    run(on_screen=True)
    said = capsys.readouterr().out
    assert "sending" in said
    assert "2/2" in said
    assert "rows/s" not in said
