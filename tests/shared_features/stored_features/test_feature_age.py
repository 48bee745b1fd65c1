"""How old the stored features are, wherever in the state the newest event that counts lies."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from serving.request.request_body import RequestBody
from shared_features.definitions import FeatureView
from shared_features.kernel.event_time import SECOND_US
from shared_features.stored_features.feature_vectors import FeatureVectors
from tests.serving.stored_states import NAMESPACE, event_batch, stored_states
from tests.streaming.small_domain import OUTCOMES, PAYMENTS, SHOP_RISK, VIEW

NOW_US = 1_767_225_600_000_000
ON_SHOPS = FeatureView(name="shops", version=1, source=PAYMENTS, features=(SHOP_RISK,))
HOP_US = 10 * SECOND_US
Times = list[int]


def ages_s(view: FeatureView, states: dict[bytes, bytes], as_of_us: int) -> dict[str, float | None]:
    instance = {name: value for name, value in (("payer", 7), ("shop", "s")) if name in _fields(view)}
    body, vectors = RequestBody(view, 1), FeatureVectors(view, NAMESPACE)
    plan = vectors.plan(body.columns(body.decode(json.dumps({"instances": [instance]}).encode()).instances))
    rows = vectors.compute(plan, [[states.get(key) for key in keys] for keys in plan.reads], np.array([as_of_us]))
    return {group.name: group.ages_s[0] for group in rows.groups}


def _fields(view: FeatureView) -> set[str]:
    return {field.name for field in view.request_fields}


def payments(times_us: Times) -> dict[bytes, bytes]:
    rows = [{"id": n, "event_time": at, "payer": 7, "shop": "s", "amount": 100} for n, at in enumerate(times_us)]
    return stored_states(VIEW.groups, [event_batch(PAYMENTS, rows)])


def outcomes(times_us: Times) -> dict[bytes, bytes]:
    rows = [{"id": n, "event_time": at, "shop": "s", "bad": 1} for n, at in enumerate(times_us)]
    return stored_states([SHOP_RISK], [event_batch(OUTCOMES, rows)])


@pytest.mark.parametrize("age_s", [1, 3, 4.5, 17.25, 31])
def test_the_age_is_exact_where_the_group_has_the_time_since_its_last_event(age_s: float) -> None:
    """The event that a request names is in the state already, and the one before it is in a tile."""
    states = payments([NOW_US, NOW_US - int(age_s * SECOND_US)])
    assert ages_s(VIEW, states, NOW_US)["payer"] == age_s
    assert ages_s(VIEW, states, NOW_US + SECOND_US)["payer"] == 1


def test_an_entity_whose_only_event_is_later_has_no_age() -> None:
    assert ages_s(VIEW, payments([NOW_US]), NOW_US)["payer"] is None
    assert ages_s(ON_SHOPS, outcomes([NOW_US]), NOW_US)["shop_risk"] is None


@given(
    st.lists(st.integers(0, 55 * SECOND_US), max_size=5),
    st.lists(st.integers(0, 4 * SECOND_US), min_size=1, max_size=3),
    st.integers(0, 4 * SECOND_US),
)
def test_without_that_feature_the_age_is_at_most_a_hop_too_great(before: Times, late: Times, as_of: int) -> None:
    """As of any instant that can be asked for: `head` before the newest event, or later."""
    times_us = [NOW_US - each for each in before] + [NOW_US + each for each in late]
    as_of_us = max(times_us) - as_of
    right_s = [(as_of_us - each) / 1e6 for each in times_us if each < as_of_us]
    found_s = ages_s(ON_SHOPS, outcomes(times_us), as_of_us)["shop_risk"]
    if not right_s:
        assert found_s is None
    else:
        assert found_s is not None
        assert min(right_s) <= found_s < min(right_s) + HOP_US / 1e6
        if min(right_s) < (as_of_us - max(times_us)) / 1e6 + 4:
            assert found_s == min(right_s)
