"""Each kind of wrong bytes is what the stream sets aside, and for its own reason."""

import numpy as np

from deploy.demo.traffic.cards.event_bytes import DEAD, FIRST_DEAD, KINDS, encode
from shared_features.event_sources import CARD_TRANSACTIONS
from tests.deploy.demo.traffic.generated import read


def test_each_kind_of_malformed_record_is_set_aside_for_its_own_reason(world):
    some = world.transactions.take(slice(0, 60))
    reasons = {}
    for number in range(FIRST_DEAD, len(KINDS)):
        _, _, values = encode(some, np.full(60, number, np.uint8))
        stamps = (some.event_time_us // 1000 + 1).tolist()
        found = read(CARD_TRANSACTIONS, zip([CARD_TRANSACTIONS.topic] * 60, [b"1"] * 60, values, stamps, strict=True))
        assert len(found.dead) == 60, KINDS[number]
        reasons[KINDS[number]] = found.dead[0].reason
    assert "future" in reasons["future_event"]
    assert "amount" in reasons["missing_field"]
    assert "number" in reasons["number_as_text"]
    assert len(set(reasons.values())) == len(DEAD)
