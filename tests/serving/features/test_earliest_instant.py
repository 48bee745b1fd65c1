"""From which instant on stored features are exact: one microsecond too early is an answer that is not as of then."""

from dataclasses import dataclass
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from serving.errors import ClockBehindError, EarlyInstantError
from serving.features.earliest_instant import early_instant
from serving.request.request_body import PredictionRequest
from shared_features.kernel.event_time import MINUTE_US
from tests.domains.machines import HOT_PLANT
from tests.serving.conftest import INSTANCE, NOW_US

Instance = msgspec.defstruct("Instance", [(name, Any) for name in INSTANCE])
REQUEST = PredictionRequest([Instance(**INSTANCE)], None, False, None, "at")
AT, FROM = NOW_US - 10 * MINUTE_US, NOW_US - MINUTE_US


@dataclass(frozen=True)
class Case:
    """What a request names, and what of it is at fault."""

    request: PredictionRequest
    path: str | None


@pytest.mark.parametrize(
    "case",
    [
        Case(REQUEST, None),
        Case(replace(REQUEST, as_of_us=AT), "$.as_of"),
        Case(replace(REQUEST, event_time_us=[AT]), "$.instances[0].at"),
        Case(replace(REQUEST, as_of_us=AT, event_time_us=[AT + 1]), "$.as_of"),
        Case(replace(REQUEST, event_time_us=[None]), None),
    ],
    ids=("the clock", "as_of", "the event", "as_of before the event", "no event"),
)
def test_the_refusal_names_what_said_the_instant_and_the_first_that_can_be_had(case: Case) -> None:
    """A request that names no instant is not at fault: the clock of the service is."""
    error = early_instant("breakdown:v1", case.request, 0, HOT_PLANT, AT, FROM)
    assert isinstance(error, ClockBehindError if case.path is None else EarlyInstantError)
    assert error.extra["exact_from_us"] == FROM
    assert error.extra.get("path") == case.path
    assert ("./run stream history breakdown:v1" in error.detail) == (case.path is not None)


def test_a_long_instance_is_named_by_a_file_in_the_command_that_replays_it() -> None:
    long = replace(REQUEST, as_of_us=AT, instances=[Instance(**{**INSTANCE, "firmware": "'" * 1_000})])
    assert "@instance.json --as-of" in early_instant("v", long, 0, HOT_PLANT, AT, FROM).detail
