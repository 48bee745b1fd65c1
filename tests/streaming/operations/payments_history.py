"""A history of payments that decides what was served when: late, ahead, at one time, and twice."""

import json
import random

from shared_features.definitions import FeatureGroup
from shared_features.kernel.event_time import SECOND_US
from tests import oracle
from tests.end_to_end.archived_truth import stored_events
from tests.streaming.operations.stored_world import DAY_US, START_US, StoredWorld, payment
from tests.taken_events import rows_of, taken

LAST_US = START_US + DAY_US + 90 * SECOND_US


def store_history(world: StoredWorld) -> None:
    """Payments of payer 7 over ninety seconds and outcomes of shop s1; two payments of payer 8 a day later."""
    chance = random.Random(5)
    stamps_us = sorted(START_US + chance.randrange(90_000) * 1000 for _ in range(60))
    for number, stamp_us in enumerate(stamps_us):
        at_us = stamp_us + chance.choice((-1, -1_000_000, -25_000_000, 3_000_000, 0))
        sent = (stamp_us, payment(number, at_us, 7, amount=chance.randrange(10_000) / 100))
        world.send("payments", [sent, sent][: chance.choice((1, 1, 2))], number % 2)
        if number % 3 == 0:
            world.send("outcomes", [(stamp_us, outcome(number, at_us, bad=number % 2 == 0))])
    for partition in (0, 1):
        world.send("payments", [(LAST_US, payment(900 + partition, LAST_US, 8))], partition)
    world.send("outcomes", [(LAST_US, outcome(900, LAST_US, bad=True))])
    world.archive()


def outcome(number: int, at_us: int, *, bad: bool) -> bytes:
    return json.dumps({"id": number, "event_time": at_us, "shop": "s1", "bad": bad}).encode()


def as_served(world: StoredWorld, group: FeatureGroup, key: str, as_of_us: int, lag_us: int = 0) -> list[float | None]:
    """By the oracle, of the events that had happened and had arrived by then. None: missing."""
    events = []
    for source in group.sources:
        if (world.lake / f"events_{source.name}").is_dir():
            found = stored_events(world.lake, source)
            events += [
                event
                for row, entity, event in taken(group, source, rows_of(found.batch))
                if entity == key and max(found.arrival_us[row] + lag_us, event.event_time_us + 1) <= as_of_us
            ]
    values = [oracle.value(group.layout, feature, events, as_of_us) for feature in group.layout.features]
    return [None if value != value else value for value in values]
