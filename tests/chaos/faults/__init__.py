"""All kinds of faults, by the part they strike."""

from tests.chaos.faults import clock, job, kafka, lake, network, redis, retention
from tests.chaos.faults.fault import FAULTS, Fault

__all__ = ["FAULTS", "Fault", "clock", "job", "kafka", "lake", "network", "redis", "retention"]
