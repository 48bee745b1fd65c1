"""Two topics and two groups, as small as reaches every rule: integer keys, one window, three shards in all."""

from shared_features.definitions import (
    Aggregate,
    Entity,
    EventSource,
    FeatureGroup,
    FeatureView,
    Field,
    Integer,
    Timestamp,
    Window,
)
from shared_features.kernel.aggregations import Count, Last, Sum
from shared_features.kernel.event_time import seconds

FUTURE_S, HEAD_S, LENGTH_S, HOP_S = 6, 4, 60, 10
OVER = (Window(seconds(LENGTH_S), seconds(HOP_S)),)


def _source(name: str, *more: Field) -> EventSource:
    return EventSource(
        name=name,
        topic=name,
        fields=(
            Field("id", Integer(low=0)),
            Field("event_time", Timestamp()),
            *more,
            Field("page", Integer(low=0)),
            Field("value", Integer(low=0, high=99)),
        ),
        event_id="id",
        tolerated_future=seconds(FUTURE_S),
    )


VISITS = _source("visits", Field("reader", Integer(low=0)))
VOTES = _source("votes")
READER = FeatureGroup(
    name="reader",
    version=1,
    entity=Entity("reader", keys=("reader",)),
    sources=(VISITS,),
    aggregates=(Aggregate("value", Count(), OVER), Aggregate("value", Sum(), OVER), Aggregate("value", Last(), OVER)),
    shards=2,
    head=seconds(HEAD_S),
)
PAGE = FeatureGroup(
    name="page",
    version=1,
    entity=Entity("page", keys=("page",)),
    sources=(VOTES,),
    aggregates=(Aggregate("value", Count(), OVER), Aggregate("value", Last(), OVER)),
    shards=1,
    head=seconds(HEAD_S),
)
VIEW = FeatureView(name="view", version=1, source=VISITS, features=(READER, PAGE))
