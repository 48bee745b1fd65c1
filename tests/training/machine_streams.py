"""Readings of machines and their breakdowns: a seeded stream with texts, missing values, late events and copies."""

from __future__ import annotations

import numpy as np

from shared_features.kernel.event_time import DAY_US, HOUR_US, MINUTE_US
from tests.domains.machines import BREAKDOWNS, READINGS
from tests.training.lake import EventRows, arrived

START_US = 20_000 * DAY_US
"""2024-10-04, midnight UTC."""


def machine_streams(days: int = 12, per_day: int = 250, seed: int = 7) -> dict[str, EventRows]:
    """Source name -> events. A breakdown is known an hour after its reading; hot readings break more often."""
    random = np.random.default_rng(seed)
    count = days * per_day
    at = np.sort(START_US + random.integers(0, days * DAY_US, count))
    machine = random.integers(0, 30, count)
    celsius = np.clip(random.normal(50 + machine % 7 * 3, 15), -80, 400)
    broke = random.random(count) < 1 / (1 + np.exp(-(celsius - 75) / 4))
    readings = {
        "reading": np.array([f"r{number}" for number in range(count)], object),
        "at": at,
        "plant": np.array([f"plant|{number % 3}" for number in machine], object),
        "machine": np.array([f"m{number}" for number in machine], object),
        "celsius": np.rint(celsius * 10).astype(np.int64),
        "humidity": random.integers(0, 1001, count),
        "firmware": np.array([f"v{number}" for number in random.integers(0, 3, count)], object),
    }
    valid = {"humidity": random.random(count) > 0.2, "firmware": random.random(count) > 0.1}
    late = np.where(random.random(count) < 0.02, HOUR_US, 0)
    arrival = at + random.integers(0, MINUTE_US, count) + late
    copied = random.choice(count, 20, replace=False)
    again = np.concatenate([np.arange(count), copied])
    breakdowns = {
        "report": np.array([f"b{number}" for number in range(count)], object),
        "at": at + HOUR_US,
        "reading": readings["reading"],
        "broke": broke.astype(np.int64),
    }
    return {
        "readings": arrived(
            READINGS,
            {name: column[again] for name, column in readings.items()},
            np.concatenate([arrival, arrival[copied] + 30 * MINUTE_US]),
            {name: column[again] for name, column in valid.items()},
        ),
        "breakdowns": arrived(BREAKDOWNS, breakdowns, at + HOUR_US + random.integers(0, MINUTE_US, count)),
    }


def end_us(days: int = 12) -> int:
    return START_US + days * DAY_US
