"""How often a terminal was found to be compromised, from outcomes that became known lately.

An outcome becomes known seven days after its transaction, so the outcomes of the last 7 days are about the
transactions of 7 to 14 days ago.
"""

from shared_features.definitions import Aggregate, FeatureGroup
from shared_features.event_sources import CARD_LABELS, TERMINAL
from shared_features.kernel.aggregations import Count, Mean
from shared_features.kernel.event_time import days

LATELY = (days(1), days(7), days(30))

TERMINAL_RISK = FeatureGroup(
    name="terminal_risk",
    version=1,
    entity=TERMINAL,
    sources=(CARD_LABELS,),
    aggregates=(
        Aggregate("is_fraud", Count(), windows=LATELY),
        Aggregate("is_fraud", Mean(), windows=LATELY),
    ),
    description="How often a terminal was found to be compromised, from outcomes that became known lately.",
)
