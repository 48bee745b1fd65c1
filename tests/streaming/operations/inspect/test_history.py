"""Features as of an earlier instant, replayed from the stored events, are what was served; or it is said why not."""

import json
import random
from datetime import date, timedelta
from typing import Any

from shared_features.kernel.event_time import SECOND_US, to_text
from streaming.operations.retention.retain import delete_days
from tests.end_to_end.archived_truth import stored_events
from tests.streaming.operations.payments_history import as_served
from tests.streaming.operations.stored_world import DAY_US, START_US, StoredWorld
from tests.streaming.small_domain import PAYER, PAYMENTS


def asked(world: StoredWorld, as_of_us: int) -> Any:
    told = world.run("inspect", "payer", "7", "--as-of", to_text(as_of_us), "--group", "payer:v1", "--json")
    return json.loads(told)["groups"][0]


def test_an_instant_of_history_is_answered_exactly_from_the_stored_events(history: StoredWorld) -> None:
    chance = random.Random(6)
    times_us = sorted(stored_events(history.lake, PAYMENTS).batch.event_time_us.tolist())
    instants_us = [START_US + chance.randrange(90_000_000) for _ in range(9)]
    instants_us += [time + just for time, just in zip(chance.sample(times_us[:-3], 3), (0, 1, -1), strict=True)]
    for as_of_us in instants_us:
        group = asked(history, as_of_us)
        assert [each["as_served"] for each in group["features"]] == as_served(history, PAYER, "7", as_of_us)
        assert group["as_served_lacks"] == []
    different = sum(
        as_served(history, PAYER, "7", each) != as_served(history, PAYER, "7", each, 10 * SECOND_US)
        for each in instants_us
    )
    assert different > 3, "arrival decides in some of the instants"


def test_the_lag_of_the_pipeline_counts_as_in_training(history: StoredWorld) -> None:
    history.settings = history.settings.model_copy(update={"pipeline_lag": timedelta(seconds=10)})
    as_of_us = START_US + 50 * SECOND_US
    group = asked(history, as_of_us)
    assert [each["as_served"] for each in group["features"]] == as_served(history, PAYER, "7", as_of_us, 10 * SECOND_US)
    assert as_served(history, PAYER, "7", as_of_us) != as_served(history, PAYER, "7", as_of_us, 10 * SECOND_US)


def test_what_the_lake_lacks_of_an_instant_is_said(history: StoredWorld) -> None:
    now_us = START_US + 10_000 * DAY_US
    (lacking,) = asked(history, now_us)["as_served_lacks"]
    assert lacking.startswith("the archive of source payments is complete up to 20")
    assert "follows the newest record" in lacking
    assert lacking.endswith("where no more will, and `status` shows no lag, the values are exact")
    told = history.run("inspect", "payer", "7", "--as-of", to_text(now_us))
    assert "as served: may not be exact, the archive of source payments is complete up to" in told
    assert "as served: exact." in history.run("inspect", "payer", "7", "--as-of", to_text(START_US + SECOND_US))


def test_days_that_were_deleted_are_said(history: StoredWorld) -> None:
    assert delete_days(history.settings, PAYMENTS, date(2026, 1, 2)) > 60
    assert asked(history, START_US + DAY_US + 70 * SECOND_US)["as_served_lacks"] == []
    (lacking,) = asked(history, START_US + DAY_US + 60 * SECOND_US)["as_served_lacks"]
    assert lacking == "events of source payments that arrived before 2026-01-02T00:00:00Z were deleted by `retain`"


def test_an_erased_entity_is_said(history: StoredWorld) -> None:
    history.run("bootstrap")
    history.run("erase", "--entity", "payer", "--key", "7", "--execute")
    group = asked(history, START_US + 50 * SECOND_US)
    assert group["features"][0]["as_served"] == 0
    assert "the entity was erased on request: its earlier events are in neither store" in group["notes"]
