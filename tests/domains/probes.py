"""Probes of a laboratory: a source, a group, a view. Later releases of them: `probes_grown`, `probes_changed`."""

from shared_features import (
    Aggregate,
    Boolean,
    Count,
    Decimal,
    Entity,
    EventSource,
    FeatureGroup,
    FeatureView,
    Field,
    LabelSource,
    Mean,
    Sum,
    Text,
    Timestamp,
    days,
    hours,
    minutes,
)

SAMPLES = EventSource(
    name="samples",
    topic="lab.samples",
    fields=(
        Field("sample", Text(max_length=20)),
        Field("at", Timestamp("ms")),
        Field("probe", Text(max_length=20)),
        Field("value", Decimal(decimals=1, low=-1000, high=1000)),
    ),
    event_id="sample",
    event_time="at",
)

ALARMS = EventSource(
    name="alarms",
    topic="lab.alarms",
    fields=(
        Field("alarm", Text(max_length=20)),
        Field("at", Timestamp("ms")),
        Field("sample", Text(max_length=20)),
        Field("raised", Boolean()),
    ),
    event_id="alarm",
    event_time="at",
)

PROBE = FeatureGroup(
    name="probe_level",
    version=1,
    entity=Entity("probe", keys=("probe",)),
    sources=(SAMPLES,),
    aggregates=(
        Aggregate("value", Mean(), windows=(hours(1),)),
        Aggregate("value", Sum(), windows=(days(1),)),
        Aggregate(None, Count(), windows=(hours(1),)),
    ),
    shards=2,
)

LABELS = LabelSource(ALARMS, value="raised", join="sample", delay=minutes(0))

PROBE_ALARM = FeatureView("probe_alarm", 1, SAMPLES, ("value", *PROBE.features), LABELS)
