"""The earliest instant that stored features are exact as of."""

from __future__ import annotations

from shared_features.definitions import FeatureGroup
from shared_features.formats.absent_entity import absent_from_us
from shared_features.kernel.tile_state import NEVER_US
from shared_features.stored_features.shards import ShardFacts


def exact_from_us(group: FeatureGroup, newest_us: int, facts: ShardFacts, now_us: int) -> int:
    """From which instant on the stored features of an entity are exact, microseconds.

    newest_us: of the entity's events; NEVER_US where the store has no entity.
    """
    if newest_us != NEVER_US:
        return newest_us - group.layout.head_us
    return absent_from_us(group, facts.consumed_until_us, facts.built_at_us, now_us)
