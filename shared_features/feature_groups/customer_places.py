"""Where a customer's card was presented lately: how many different terminals, and the latest one."""

from shared_features.definitions import Aggregate, FeatureGroup
from shared_features.event_sources import CARD_TRANSACTIONS, CUSTOMER
from shared_features.kernel.aggregations import ApproxDistinct, Last
from shared_features.kernel.event_time import days

CUSTOMER_PLACES = FeatureGroup(
    name="customer_places",
    version=1,
    entity=CUSTOMER,
    sources=(CARD_TRANSACTIONS,),
    aggregates=(
        Aggregate("terminal_id", ApproxDistinct(), windows=(days(1), days(7), days(30))),
        Aggregate("terminal_id", Last(), windows=(days(30),)),
    ),
    description="Where a customer's card was presented lately: how many different terminals, and the latest one.",
)
