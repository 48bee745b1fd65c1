"""A source of orders, a group and a view of it: what tests of definitions change in one place."""

from typing import Any

from shared_features import (
    Aggregate,
    Decimal,
    Entity,
    EventSource,
    FeatureGroup,
    FeatureView,
    Field,
    Integer,
    Mean,
    Text,
    Timestamp,
    days,
)

FIELDS = (
    Field("id", Text()),
    Field("at", Timestamp()),
    Field("who", Integer()),
    Field("maybe", Integer(), optional=True),
    Field("price", Decimal(2, 0, 100)),
)
SOURCE = EventSource("orders", "orders", FIELDS, event_id="id", event_time="at")
WHO = Entity("who", ("who",))


def group(**changes: Any) -> FeatureGroup:
    plain: dict[str, Any] = {
        "name": "spend",
        "version": 1,
        "entity": WHO,
        "sources": (SOURCE,),
        "aggregates": (Aggregate("price", Mean(), (days(1),)),),
    }
    return FeatureGroup(**{**plain, **changes})


def view(**changes: Any) -> FeatureView:
    plain: dict[str, Any] = {"name": "v", "version": 1, "source": SOURCE, "features": ("price", group())}
    return FeatureView(**{**plain, **changes})
