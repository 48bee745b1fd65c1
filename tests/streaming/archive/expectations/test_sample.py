"""The sample is decided by the event alone, whatever its batch, its position and its text."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from streaming.archive.expectations.sample import sampled
from tests.streaming.archive.expectations.arrivals import payments
from tests.streaming.small_domain import PAYMENTS

EVENTS = payments(*range(20_000)).events


def test_about_one_in_so_many_events_is_sampled() -> None:
    assert len(sampled(EVENTS, 1)) == 20_000
    assert 160 < len(sampled(EVENTS, 100)) < 240


def test_an_event_is_sampled_in_every_batch_or_in_none() -> None:
    whole = set(sampled(EVENTS, 7).tolist())
    for rows in (np.arange(0, 20_000, 3), np.arange(5_000)[::-1]):
        assert set(rows[sampled(EVENTS.take(rows), 7)].tolist()) == whole & set(rows.tolist())


def test_ids_that_are_texts_are_sampled_alike() -> None:
    named = replace(PAYMENTS, event_id="shop")
    shops = np.array([f"shop {number}" for number in range(20_000)], object)
    events = replace(EVENTS, source=named, columns={**EVENTS.columns, "shop": shops})
    rows = sampled(events, 100)
    assert 160 < len(rows) < 240
    assert sampled(events.take(rows), 100).tolist() == list(range(len(rows)))
