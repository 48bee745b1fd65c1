"""The topics of the reference domain, payment-card fraud, and who their events are about."""

from shared_features.definitions import Boolean, Decimal, Entity, EventSource, Field, Integer, Timestamp

CUSTOMER = Entity("customer", keys=("customer_id",), description="Who holds the card.")
TERMINAL = Entity("terminal", keys=("terminal_id",), description="The till, machine or web shop that takes the card.")

_TRANSACTION_ID = Field("transaction_id", Integer(low=0), description="Number of the transaction.")
_TERMINAL_ID = Field("terminal_id", Integer(low=0), description="Number of the terminal that took the card.")

CARD_TRANSACTIONS = EventSource(
    name="card_transactions",
    topic="card-transactions",
    fields=(
        _TRANSACTION_ID,
        Field("event_time", Timestamp(), description="When the card was presented."),
        Field("customer_id", Integer(low=0), description="Number of the customer who holds the card."),
        _TERMINAL_ID,
        Field(
            "amount",
            Decimal(decimals=2, low=0, high=1_000_000),
            description="What the customer was asked to pay.",
            unit="euro",
        ),
    ),
    event_id="transaction_id",
    description="A card is presented at a terminal.",
)

CARD_LABELS = EventSource(
    name="card_labels",
    topic="card-labels",
    fields=(
        _TRANSACTION_ID,
        Field(
            "event_time",
            Timestamp(),
            description="When the outcome became known: in the Fraud Detection Handbook's world, seven days after the "
            "card was presented.",
        ),
        Field("transaction_time", Timestamp(), description="When the card was presented."),
        _TERMINAL_ID,
        Field("is_fraud", Boolean(), description="Whether the transaction was fraud."),
    ),
    event_id="transaction_id",
    description="The outcome of a transaction's investigation becomes known.",
)
