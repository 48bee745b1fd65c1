"""What it means that the online store has no key of an entity: from which instant on it had no event."""

from __future__ import annotations

from shared_features.definitions import FeatureGroup
from shared_features.kernel.tile_state import NEVER_US


def absent_from_us(group: FeatureGroup, consumed_until_us: int | None, built_at_us: int, now_us: int) -> int:
    """The first instant, microseconds, as of which an entity without a key surely has no event in any window.

    There may have been a key. Each commit gives a key `group.kept_us` by the clock of the store; so whatever the key
    held was committed, and had arrived, before that. A build leaves out what is older than that in the log.

    consumed_until_us: of the shard; None where no record has arrived. built_at_us: from when on the shard's keys were
    written; 0 if unknown. The two clocks part when the stream stands still, or imports old events.
    """
    in_log_us = NEVER_US if consumed_until_us is None else consumed_until_us - group.readable_us
    if now_us - built_at_us < group.kept_us:
        return in_log_us  # no key has expired yet
    by_clock_us = now_us - group.readable_us
    if consumed_until_us is None:
        return by_clock_us
    return max(in_log_us, min(by_clock_us, consumed_until_us + group.readable_us))
