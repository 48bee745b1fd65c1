"""Two topics and three groups over windows of a minute, so that few events reach every rule. Read on payments."""

from shared_features.definitions import (
    Aggregate,
    Boolean,
    Decimal,
    Entity,
    EventSource,
    Expect,
    FeatureGroup,
    FeatureView,
    Field,
    Integer,
    Text,
    Timestamp,
    Window,
)
from shared_features.kernel.aggregations import ApproxDistinct, Count, Last, Mean, Std, Sum, TimeSinceLast
from shared_features.kernel.event_time import seconds

PAYMENTS = EventSource(
    name="payments",
    topic="payments",
    fields=(
        Field("id", Integer(low=0)),
        Field("event_time", Timestamp()),
        Field("payer", Integer(low=0)),
        Field("shop", Text(max_length=20)),
        Field("amount", Decimal(decimals=2, low=0, high=1000)),
        Field("note", Text(), optional=True),
    ),
    event_id="id",
    tolerated_future=seconds(6),
    expectations=(Expect("amount", low=0.02, warn=True),),
)
OUTCOMES = EventSource(
    name="outcomes",
    topic="outcomes",
    fields=(
        Field("id", Integer(low=0)),
        Field("event_time", Timestamp()),
        Field("shop", Text(max_length=20)),
        Field("bad", Boolean()),
    ),
    event_id="id",
    tolerated_future=seconds(6),
)
OVER = (Window(seconds(60), seconds(10)), Window(seconds(20), seconds(5)))
PAYER = FeatureGroup(
    name="payer",
    version=1,
    entity=Entity("payer", keys=("payer",)),
    sources=(PAYMENTS,),
    aggregates=(
        Aggregate("amount", Count(), OVER),
        Aggregate("amount", Sum(), OVER),
        Aggregate("amount", Std(), OVER),
        Aggregate("note", Last(), OVER[:1]),
        Aggregate("note", ApproxDistinct(), OVER[:1]),
        Aggregate(None, TimeSinceLast(), OVER[:1]),
    ),
    head=seconds(4),
)
SHOP_RISK = FeatureGroup(
    name="shop_risk",
    version=2,
    entity=Entity("shop", keys=("shop",)),
    sources=(OUTCOMES,),
    aggregates=(Aggregate("bad", Count(), OVER), Aggregate("bad", Mean(), OVER)),
    head=seconds(4),
)
SHOP_USE = FeatureGroup(
    name="shop_use",
    version=1,
    entity=Entity("shop", keys=("shop",)),
    sources=(PAYMENTS, OUTCOMES),
    aggregates=(Aggregate(None, Count(), OVER),),
    head=seconds(4),
)
PAYER_NUMBERS = tuple(each for each in PAYER.features if not each.is_text)
VIEW = FeatureView(name="view", version=1, source=PAYMENTS, features=(*PAYER_NUMBERS, SHOP_RISK, SHOP_USE))
