"""The probes after a mistake: the group means something else under the version it had."""

from dataclasses import replace

from shared_features import Aggregate, FeatureView, Mean, Window, hours, minutes
from tests.domains import probes

PROBE = replace(
    probes.PROBE,
    aggregates=(Aggregate("value", Mean(), windows=(Window(hours(1), minutes(5)),)), *probes.PROBE.aggregates[2:]),
)

PROBE_ALARM = FeatureView("probe_alarm", 1, probes.SAMPLES, ("value", *PROBE.features), probes.LABELS)
