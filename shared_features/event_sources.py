"""The topics of the reference domain, payment-card fraud, and who their events are about."""

from shared_features.definitions import Boolean, Decimal, Entity, EventSource, Field, Integer, Timestamp

CUSTOMER = Entity("customer", keys=("customer_id",))
TERMINAL = Entity("terminal", keys=("terminal_id",))

CARD_TRANSACTIONS = EventSource(
    name="card_transactions",
    topic="card-transactions",
    fields=(
        Field("transaction_id", Integer(low=0)),
        Field("event_time", Timestamp()),
        Field("customer_id", Integer(low=0)),
        Field("terminal_id", Integer(low=0)),
        Field("amount", Decimal(decimals=2, low=0, high=1_000_000)),
    ),
    event_id="transaction_id",
)
"""A card presented at a terminal. Amounts in euro; event time is when the card was presented."""

CARD_LABELS = EventSource(
    name="card_labels",
    topic="card-labels",
    fields=(
        Field("transaction_id", Integer(low=0)),
        Field("event_time", Timestamp()),
        Field("transaction_time", Timestamp()),
        Field("terminal_id", Integer(low=0)),
        Field("is_fraud", Boolean()),
    ),
    event_id="transaction_id",
)
"""The outcome of a transaction's investigation. Event time is when it became known: seven days after the card was
presented, in the Fraud Detection Handbook's world."""
