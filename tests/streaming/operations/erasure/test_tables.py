"""Retention deletes events and keeps what was made of them: an erasure finds that, too."""

from __future__ import annotations

import shutil
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from shared_features.definitions import Entity, load_definitions
from shared_features.definitions.changes.definition_texts import definition_text
from shared_features.formats.offline_tables import features_table
from streaming.lake.handle import DeltaHandle
from streaming.materialize.spine_rows import feature_schema
from streaming.operations.erasure.tables import rows_of
from streaming.operations.retention.retain import delete_days
from tests.streaming.operations.erasure.test_command import GONE, STAYS, column, stored
from tests.streaming.operations.stored_world import StoredWorld
from tests.streaming.small_domain import PAYER, PAYMENTS

__all__ = ["stored"]
ERASE = ("erase", "--entity", "payer", "--key", str(GONE), "--execute")


def test_rows_and_runs_of_events_that_retention_has_deleted_go(stored: StoredWorld) -> None:
    delete_days(stored.settings, PAYMENTS, date(2026, 1, 2))
    assert "0 events, and the feature rows at 20 positions in 3 tables" in stored.run(*ERASE[:-1])
    said = stored.run(*ERASE)
    assert "60  feature rows" in said
    assert "cannot be found" not in said
    for group, spine in stored.catalogue.spines:
        assert len(column(stored, features_table(group, spine), "entity_key")) == 20
    assert set(column(stored, features_table(PAYER, PAYMENTS), "entity_key")) == {str(STAYS)}
    assert [each.name for each in (stored.settings.training_runs / "view").iterdir()] == ["free"]


@pytest.mark.parametrize("way", ["shown", "done"])
def test_what_nobody_can_find_any_more_is_said(stored: StoredWorld, way: str) -> None:
    shutil.rmtree(stored.lake / features_table(PAYER, PAYMENTS))
    delete_days(stored.settings, PAYMENTS, date(2026, 1, 2))
    said = stored.run(*(ERASE if way == "done" else ERASE[:-1]))
    assert "`retain` has deleted the events of payments before 2026-01-02T00:00:00Z, and no feature row" in said
    assert "cannot be found, and stay" in said


def test_events_that_are_there_are_not_said_to_be_lost(stored: StoredWorld) -> None:
    shutil.rmtree(stored.lake / features_table(PAYER, PAYMENTS))
    assert "cannot be found" not in stored.run(*ERASE)


def test_a_version_that_was_given_up_tells_itself_whose_rows_it_has(tmp_path: Path) -> None:
    """By the definition that is stored beside them; whether it had the group's name of now does not matter."""
    small, tables = load_definitions("tests.streaming.small_domain"), []
    by_shop = replace(PAYER, name="by_shop", entity=Entity("payer", keys=("shop",)))
    for group, text in (
        (PAYER, None),
        (replace(PAYER, name="before"), definition_text(PAYER)),
        (by_shop, definition_text(by_shop)),
        (replace(PAYER, name="untold"), None),
    ):
        tables.append(tmp_path / features_table(group, PAYMENTS))
        DeltaHandle(tables[-1], feature_schema(group), definition=text)
    assert rows_of(tables, PAYMENTS, small, PAYER.entity) == dict.fromkeys(tables[:2], ("payer",))
    assert rows_of(tables, PAYMENTS, small, Entity("any", keys=("shop",))) == {tables[2]: ("shop",)}
