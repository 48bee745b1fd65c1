"""The features of the Fraud Detection Handbook (Le Borgne, Siblini, Lebichot, Bontempi; chapter 3), as it defines them.

Of the customer, the number and the mean amount over 1, 7 and 30 days with the present transaction. Of the terminal, the
number of transactions and their share of frauds over 1, 7 and 30 days that ended seven days ago: labels are events of
the instant at which they are known, so the delay is in the data. Windows begin at a whole second, as its times do.
"""

from typing import Any

import numpy as np

from shared_features import Aggregate, Count, FeatureGroup, FeatureView, LabelSource, Mean, Window, days, seconds
from shared_features.event_sources import CARD_LABELS, CARD_TRANSACTIONS, CUSTOMER, TERMINAL
from shared_features.on_demand import is_weekend

DAYS = (1, 7, 30)
_WINDOWS: tuple[Any, ...] = tuple(Window(days(n), seconds(1)) for n in DAYS)
_HOUR_US = 3_600_000_000

CUSTOMER_HISTORY = FeatureGroup(
    "customer_history",
    1,
    CUSTOMER,
    (CARD_TRANSACTIONS,),
    (Aggregate("amount", Count(), _WINDOWS), Aggregate("amount", Mean(), _WINDOWS)),
    description="The customer's transactions before this one.",
)
TERMINAL_HISTORY = FeatureGroup(
    "terminal_history",
    1,
    TERMINAL,
    (CARD_LABELS,),
    (Aggregate("is_fraud", Count(), _WINDOWS), Aggregate("is_fraud", Mean(), _WINDOWS)),
    description="The terminal's transactions whose outcome is known.",
)


def count_1d(amount_count_1d: Any) -> Any:
    """The customer's transactions of a day, this one too."""
    return np.add(amount_count_1d, 1.0)


def count_7d(amount_count_7d: Any) -> Any:
    """The customer's transactions of a week, this one too."""
    return np.add(amount_count_7d, 1.0)


def count_30d(amount_count_30d: Any) -> Any:
    """The customer's transactions of a month, this one too."""
    return np.add(amount_count_30d, 1.0)


def mean_1d(amount: Any, amount_count_1d: Any, amount_mean_1d: Any) -> Any:
    """The mean amount of a day, this one too."""
    return _mean(amount, amount_count_1d, amount_mean_1d)


def mean_7d(amount: Any, amount_count_7d: Any, amount_mean_7d: Any) -> Any:
    """The mean amount of a week, this one too."""
    return _mean(amount, amount_count_7d, amount_mean_7d)


def mean_30d(amount: Any, amount_count_30d: Any, amount_mean_30d: Any) -> Any:
    """The mean amount of a month, this one too."""
    return _mean(amount, amount_count_30d, amount_mean_30d)


def _mean(amount: Any, count: Any, mean: Any) -> Any:
    before = np.where(np.equal(count, 0.0), 0.0, np.multiply(count, mean))
    return np.divide(np.add(before, amount), np.add(count, 1.0))


def risk_1d(is_fraud_mean_1d: Any) -> Any:
    """The share of frauds at the terminal; 0 where nothing is known, as the Handbook has it."""
    return np.where(np.isnan(is_fraud_mean_1d), 0.0, is_fraud_mean_1d)


def risk_7d(is_fraud_mean_7d: Any) -> Any:
    """The same of a week."""
    return np.where(np.isnan(is_fraud_mean_7d), 0.0, is_fraud_mean_7d)


def risk_30d(is_fraud_mean_30d: Any) -> Any:
    """The same of a month."""
    return np.where(np.isnan(is_fraud_mean_30d), 0.0, is_fraud_mean_30d)


def is_early(as_of_us: Any) -> Any:
    """1.0 from midnight until seven in the morning UTC: the Handbook's night."""
    return np.where(np.mod(as_of_us, 24 * _HOUR_US) < 7 * _HOUR_US, 1.0, 0.0)


HANDBOOK = FeatureView(
    name="handbook",
    version=1,
    source=CARD_TRANSACTIONS,
    features=(
        "amount",
        is_weekend,
        is_early,
        count_1d,
        mean_1d,
        count_7d,
        mean_7d,
        count_30d,
        mean_30d,
        *(TERMINAL_HISTORY[f"is_fraud_count_{n}d"] for n in DAYS),
        risk_1d,
        risk_7d,
        risk_30d,
    ),
    also_reads=(CUSTOMER_HISTORY,),
    labels=LabelSource(CARD_LABELS, value="is_fraud", join="transaction_id", delay=days(7)),
    description="Whether a card transaction is fraud, by the Handbook's fifteen features.",
)
