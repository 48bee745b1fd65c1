"""What a customer spent lately. Amounts in euro; event time is when the card was presented."""

from shared_features.definitions import Aggregate, FeatureGroup
from shared_features.event_sources import CARD_TRANSACTIONS, CUSTOMER
from shared_features.kernel.aggregations import Count, Max, Mean, Min, Std, Sum, TimeSinceLast
from shared_features.kernel.event_time import days, hours

LATELY = (hours(1), days(1), days(7), days(30))

CUSTOMER_SPEND = FeatureGroup(
    name="customer_spend",
    version=1,
    entity=CUSTOMER,
    sources=(CARD_TRANSACTIONS,),
    aggregates=(
        Aggregate("amount", Count(), windows=LATELY),
        Aggregate("amount", Sum(), windows=LATELY),
        Aggregate("amount", Mean(), windows=LATELY),
        Aggregate("amount", Min(), windows=LATELY),
        Aggregate("amount", Max(), windows=LATELY),
        Aggregate("amount", Std(), windows=LATELY),
        Aggregate(None, TimeSinceLast(), windows=(days(30),)),
    ),
    description="What a customer spent lately, and how often.",
)
