"""A key that is not there: whatever it may have held can be in no window as of the instants that are called exact."""

from hypothesis import given
from hypothesis import strategies as st

from shared_features.formats.absent_entity import absent_from_us
from shared_features.kernel.event_time import DAY_US
from shared_features.kernel.tile_state import NEVER_US
from tests.domains.machines import HOT_PLANT

READ_US, AHEAD_US = HOT_PLANT.readable_us, HOT_PLANT.tolerated_future_us
NOW_US = 1_800_000_000_000_000
SPAN = st.integers(0, 8 * READ_US)


@given(SPAN, SPAN, SPAN, SPAN)
def test_an_event_whose_key_has_expired_is_in_no_window_as_of_an_exact_instant(
    stood_us: int, old_us: int, built_us: int, late_us: int
) -> None:
    """One event of the entity: it arrives, is committed, and its key expires before now."""
    consumed_until_us = NOW_US - stood_us
    arrived_us = consumed_until_us - old_us
    built_at_us = NOW_US - built_us
    committed_us = max(arrived_us + late_us, built_at_us)
    if committed_us + 2 * READ_US > NOW_US:
        return  # its key is still there
    event_us = arrived_us + AHEAD_US
    exact_us = absent_from_us(HOT_PLANT, consumed_until_us, built_at_us, NOW_US)
    longest_us = max(each.length_us + each.hop_us for each in HOT_PLANT.layout.features)
    assert event_us + longest_us <= exact_us


def test_as_of_now_an_entity_without_a_key_has_no_history_however_far_the_stream_is() -> None:
    for consumed_until_us in (None, NOW_US, NOW_US - READ_US, NOW_US - 3000 * DAY_US):
        for built_at_us in (0, NOW_US - 1, NOW_US - 9 * READ_US):
            assert absent_from_us(HOT_PLANT, consumed_until_us, built_at_us, NOW_US) <= NOW_US


def test_after_an_import_of_old_events_an_unknown_entity_is_answered_as_of_then_until_keys_expire() -> None:
    old_us = NOW_US - 3000 * DAY_US
    assert absent_from_us(HOT_PLANT, old_us, NOW_US - READ_US, NOW_US) == old_us - READ_US
    assert absent_from_us(HOT_PLANT, old_us, NOW_US - 3 * READ_US, NOW_US) == old_us + READ_US


def test_before_any_record_has_arrived_no_instant_is_too_early() -> None:
    assert absent_from_us(HOT_PLANT, None, NOW_US, NOW_US) == NEVER_US
