"""Where nobody can know what is still needed, nothing is deleted: a registry that is away, a hold that says nothing."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from shared_features.formats.holds import Hold
from streaming.operations.retention.holds import write_hold
from streaming.operations.retention.retain import retain_nightly
from tests.streaming.operations.retention.test_retain import DAYS, days_of, history, pin_dataset
from tests.streaming.operations.stored_world import START_US, StoredWorld

__all__ = ["history"]
RETAIN = ("retain", "--before", "2026-01-03", "--source", "payments", "--execute")
KEEP = (datetime.now(UTC).date() - date(2026, 1, 3)).days


@pytest.fixture
def trained(history: StoredWorld) -> StoredWorld:
    """Settings as they are by default: there is a registry."""
    history.settings = history.settings.model_copy(update={"without_registry": False})
    return history


@pytest.mark.parametrize("there", [False, True])
def test_a_registry_that_is_not_mounted_keeps_everything(
    trained: StoredWorld, there: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    if there:
        Path(trained.settings.registry).mkdir()  # the empty directory over which it is mounted
    text = trained.run(*RETAIN, code=1)
    assert f"needed from the beginning: the model registry at {trained.settings.registry} is empty or missing" in text
    retain_nightly(trained.settings, KEEP)
    said = capsys.readouterr()
    assert "is empty or missing" in said.out + said.err
    assert "perhaps: the model registry" in trained.run("retire", "payer:v7", "--execute", code=1)
    assert len(days_of(trained)) == DAYS


def test_a_registry_is_looked_at_where_it_need_not_be_there(history: StoredWorld) -> None:
    pin_dataset(history, START_US)
    assert "the dataset of model view version 3" in history.run(*RETAIN, code=1)
    assert len(days_of(history)) == DAYS


def test_a_registry_that_pins_nothing_lets_days_go(trained: StoredWorld) -> None:
    pin_dataset(trained, START_US + 4 * 86_400_000_000)
    retain_nightly(trained.settings, KEEP)
    assert len(days_of(trained)) == DAYS - 2


def test_a_hold_of_an_unknown_source_is_refused(history: StoredWorld) -> None:
    write_hold(history.lake, "audit", Hold("a slip of the pen", START_US, sources=("payment", "outcomes")))
    assert "Hold audit names unknown event sources: payment" in history.run(*RETAIN, code=1)
    (history.lake / "events_payment" / "_delta_log").mkdir(parents=True)  # one that only other definitions know
    history.run(*RETAIN)
