"""Which features, in which order, a model sees."""

from shared_features.definitions import FeatureView, LabelSource
from shared_features.event_sources import CARD_LABELS, CARD_TRANSACTIONS
from shared_features.feature_groups.customer_places import CUSTOMER_PLACES
from shared_features.feature_groups.customer_spend import CUSTOMER_SPEND
from shared_features.feature_groups.terminal_risk import TERMINAL_RISK
from shared_features.kernel.event_time import days
from shared_features.on_demand import (
    amount_cents,
    amount_over_max_30d,
    amount_over_mean_7d,
    amount_z_score_30d,
    hour_of_day,
    is_night,
    is_other_terminal,
    is_weekend,
    share_of_month_in_last_hour,
    spending_speed,
)

CARD_FRAUD = FeatureView(
    name="card_fraud",
    version=1,
    source=CARD_TRANSACTIONS,
    features=(
        "amount",
        CUSTOMER_SPEND,
        *(CUSTOMER_PLACES[f"terminal_id_approx_distinct_{window}"] for window in ("1d", "7d", "30d")),
        TERMINAL_RISK,
        amount_over_mean_7d,
        amount_over_max_30d,
        amount_z_score_30d,
        amount_cents,
        is_night,
        is_weekend,
        hour_of_day,
        is_other_terminal,
        spending_speed,
        share_of_month_in_last_hour,
    ),
    labels=LabelSource(CARD_LABELS, value="is_fraud", join="transaction_id", delay=days(7)),
    description="Whether a card transaction is fraud.",
)
