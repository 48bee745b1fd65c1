"""The probes after two releases: an aggregate joined version 1 of the group, and version 2 runs beside it."""

from dataclasses import replace

from shared_features import Aggregate, FeatureView, GrownGroup, Max, Mean, Std, Window, hours, minutes
from tests.domains import probes

PROBE = GrownGroup(probes.PROBE, added=(Aggregate("value", Max(), windows=(hours(2),)),))

PROBE_2 = replace(
    probes.PROBE,
    version=2,
    aggregates=(
        Aggregate("value", Mean(), windows=(Window(hours(1), minutes(5)),)),
        Aggregate("value", Std(), windows=(hours(1),)),
    ),
)

PROBE_ALARM = probes.PROBE_ALARM

PROBE_ALARM_2 = FeatureView("probe_alarm", 2, probes.SAMPLES, ("value", PROBE_2), probes.LABELS)

PROBE_PEAK = FeatureView("probe_peak", 1, probes.SAMPLES, ("value", PROBE), probes.LABELS)
