"""What a source cannot meet is refused when it is defined. What it expects changes nothing that is stored."""

from __future__ import annotations

from dataclasses import replace

import pytest

from shared_features import Copies, DefinitionError, Expect, Newest, Rows, hours
from shared_features.definitions.expectations.expectation import Expectation
from tests.streaming.small_domain import PAYMENTS


@pytest.mark.parametrize(
    ("expectation", "says"),
    [
        (Expect("amont", low=0), r"event source 'payments': expectations name 'amont', and .* Did you mean 'amount'\?"),
        (Expect("shop", low=0), r"shop is a text and has no range; write Expect\('shop', values="),
        (Expect("shop", values=("a", 1)), "shop is a text, and among its values are numbers"),
        (Expect("amount", values=("a",)), "amount is a number, and among its values are texts"),
        (Expect("amount", missing_share=0.1), "amount is required, so an event without it is a dead letter"),
        (Expect("event_time", low=0), r"event_time is an instant; write Newest\(within"),
        (Rows(at_least=3), r"Rows does not say of which span of time; write every=hours\(1\)"),
        (Copies(), r"Copies does not say of which span of time; write every=hours\(1\)"),
    ],
)
def test_what_no_event_can_meet_is_refused(expectation: Expectation, says: str) -> None:
    with pytest.raises(DefinitionError, match=says):
        replace(PAYMENTS, expectations=(expectation,))


def test_what_metrics_could_not_tell_apart_is_refused() -> None:
    with pytest.raises(DefinitionError, match="expectations have 'amount range' twice; drop one"):
        replace(PAYMENTS, expectations=(Expect("amount", low=0), Expect("amount", high=9)))


def test_expectations_change_no_meaning() -> None:
    expecting = replace(
        PAYMENTS,
        expectations=(
            Expect("amount", low=1),
            Expect("note", values=("a", "b"), missing_share=0.5),
            Rows(every=hours(1)),
            Newest(within=hours(2)),
        ),
    )
    assert expecting.text == PAYMENTS.text
    assert expecting == PAYMENTS
