"""States dealt to shards and parts: an entity is in one of each, and its state is that of all its events."""

import random

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from shared_features.definitions import FeatureGroup
from shared_features.formats.entity_keys import key_texts, shards_of
from shared_features.formats.entity_state import encode_states, owners_of
from shared_features.group_events import group_events
from shared_features.kernel.event_time import SECOND_US
from shared_features.kernel.replay import apply
from shared_features.kernel.tile_state import TileState
from streaming.bootstrap.shard_states import ShardStates, effect_mask
from streaming.lake.event_rows import EventRows
from streaming.replay.entity_states import EntityKey, Owners
from streaming.replay.replayer import SNAPSHOT_BUILD, snapshot_owners
from tests.depth import searched
from tests.streaming.kafka_log import batch
from tests.streaming.small_domain import OUTCOMES, PAYER, PAYMENTS, SHOP_RISK

START_US = 1_700_000_000 * SECOND_US


def arrived(group: FeatureGroup, seed: int, events: int) -> EventRows:
    """Events of a few entities, by number or by text."""
    r = random.Random(seed)
    source = PAYMENTS if group is PAYER else OUTCOMES
    rows = []
    for number in range(events):
        at_us = START_US + r.randrange(120) * SECOND_US
        own = {"payer": r.randrange(40), "amount": r.randrange(999), "note": None} if group is PAYER else {"bad": 1}
        rows.append((at_us, {"id": number, "event_time": at_us, "shop": f"s|{r.randrange(40)}", **own}))
    taken = batch(source, rows)
    return EventRows(taken, np.zeros(events, np.int32), np.arange(events), taken.record_time_us)


def owners(keys: list[EntityKey]) -> Owners:
    return owners_of([str(key).encode() for key in keys])


def wanted(group: FeatureGroup, rows: EventRows) -> dict[tuple[int, str], bytes]:
    """(shard, entity) -> state, from all events at once."""
    seen = group_events(group, rows.batch)
    texts, state = key_texts(seen.keys), TileState(group.layout)
    slot_of = {text: int(state.add(1)[0]) for text in dict.fromkeys(texts)}
    slots = [slot_of[text] for text in texts]
    apply(state, slots, seen.event_time_us, seen.digest, seen.values, seen.valid)
    shards = dict(zip(texts, shards_of(seen.keys, group.shards).tolist(), strict=True))
    states = encode_states(state, list(slot_of.values()), 5, owners(list(slot_of)))
    return {(shards[text], text): each for text, each in zip(slot_of, states, strict=True)}


def taken(states: ShardStates, shards: range) -> dict[tuple[int, str], bytes]:
    found: dict[tuple[int, str], bytes] = {}
    for number in shards:
        for keys, encoded in states.take_changed(number, 5, 7, owners):
            assert len(keys) <= 7
            for key, each in zip(keys, encoded, strict=True):
                assert found.setdefault((number, str(key)), each) is each, "an entity came twice"
    return found


@given(st.sampled_from((PAYER, SHOP_RISK)), st.integers(0, 999), st.integers(1, 3), st.integers(1, 60))
@settings(max_examples=searched(quick=6, deep=60))
def test_parts_and_shards_together_hold_every_entity_once(
    group: FeatureGroup, seed: int, parts: int, at_once: int
) -> None:
    rows = arrived(group, seed, 120)
    found: dict[tuple[int, str], bytes] = {}
    for part in range(parts):
        states = ShardStates(group, range(group.shards), (part, parts))
        for start in range(0, len(rows), at_once):
            mask = np.zeros(len(rows), np.bool_)
            mask[start : start + at_once] = True
            states.add(rows, mask)
        mine = taken(states, range(group.shards))
        assert not mine.keys() & found.keys(), "an entity is in two parts"
        assert taken(states, range(group.shards)) == {}, "what was taken has not changed since"
        found |= mine
        states.close()
    assert found == wanted(group, rows)


def test_only_the_given_shards_are_built() -> None:
    rows = arrived(PAYER, 1, 120)
    states = ShardStates(PAYER, (1, 3))
    states.add(rows, np.ones(len(rows), np.bool_))
    everything = wanted(PAYER, rows)
    assert taken(states, range(1, 4, 2)) == {of: each for of, each in everything.items() if of[0] in (1, 3)}
    states.close()


def test_a_restored_entity_continues_and_one_of_another_part_is_left_out() -> None:
    rows = arrived(PAYER, 2, 120)
    early = rows.batch.event_time_us < START_US + 60 * SECOND_US
    first = ShardStates(PAYER, range(PAYER.shards))
    first.add(rows, early)
    first.settle()
    snapshot: dict[EntityKey, bytes] = {}
    for number in range(PAYER.shards):
        for keys, encoded in first.take_changed(number, SNAPSHOT_BUILD, 100, snapshot_owners):
            snapshot |= dict(zip(keys, encoded, strict=True))
    first.close()
    found: dict[tuple[int, str], bytes] = {}
    for part in range(2):
        states = ShardStates(PAYER, range(PAYER.shards), (part, 2))
        states.restore(list(snapshot), list(snapshot.values()))
        states.add(rows, ~early)
        found |= taken(states, range(PAYER.shards))
        states.close()
    assert found == wanted(PAYER, rows)


def test_an_event_counts_from_its_effect_on() -> None:
    """It is seen when it has arrived and the pipeline's lag is over, and never as of its own instant."""
    event = {"id": 1, "payer": 1, "shop": "s", "amount": 1, "note": None}
    taken_at_once = batch(PAYMENTS, [(20, {**event, "event_time": 20}), (20, {**event, "event_time": 3})])
    rows = EventRows(taken_at_once, np.zeros(2, np.int32), np.arange(2), np.array([20, 20]))
    assert effect_mask(rows, 20, 0).tolist() == [True, True]
    assert effect_mask(rows, 21, 0).tolist() == [True, False]
    assert effect_mask(rows, 22, 0).tolist() == [False, False]
    assert effect_mask(rows, 25, 5).tolist() == [True, True]
    assert effect_mask(rows, 26, 5).tolist() == [False, False]
