"""`status` says how late the stored events are, in its JSON and in its table."""

from __future__ import annotations

import json

from tests.streaming.operations.stored_world import START_US, StoredWorld, payment


def test_status_shows_how_late_the_stored_events_are(world: StoredWorld) -> None:
    late_s = [0, 5, 10, 10.001, 3000, 3_000_000]
    world.send("payments", [(START_US, payment(i, START_US - int(s * 1_000_000))) for i, s in enumerate(late_s)])
    world.send(
        "payments", [(START_US + 11_000_000, payment(0, START_US)), (START_US, payment(9, START_US - 20_000_000))]
    )
    world.archive()
    found = json.loads(world.run("status", "--json"))
    payments = next(each for each in found["sources"] if each["source"] == "payments")
    counted = {bucket["upto_s"]: (bucket["events"], bucket["late"]) for bucket in payments["lateness"]}
    assert counted[1.0] == (1, False)
    assert counted[10.0] == (2, False)
    assert counted[60.0] == (3, True)
    assert counted[3600.0] == (1, True)
    assert counted[None] == (1, True)
    assert sum(events for events, late in counted.values() if late) == payments["late"] == 5
    assert payments["late_counted"] == 2, "one repeats an event, two were older than every window when they came"
    table = world.run("status")
    assert "10 s  1 min *" in table
