"""The refusal of an instant that is earlier than stored features are exact as of."""

from __future__ import annotations

import shlex
from typing import Any

import msgspec

from serving.errors import ClockBehindError, EarlyInstantError
from serving.request.request_body import PredictionRequest
from shared_features.definitions import FeatureGroup
from shared_features.kernel.event_time import spelled_duration, to_text

_ENCODER = msgspec.json.Encoder(decimal_format="number")
_LONGEST_INSTANCE = 1_000


def early_instant(
    view: str, request: PredictionRequest, row: int, group: FeatureGroup, instant_us: int, from_us: int
) -> EarlyInstantError | ClockBehindError:
    """The refusal of a request whose instance at `row` is to be answered as of an earlier instant.

    view: its label; empty where the request asked for a group alone.
    """
    named = request.event_time_us is not None and request.event_time_us[row] == instant_us
    if request.as_of_us is None and not named:
        return _clock_behind(group, instant_us, from_us)
    path = f"$.instances[{row}].{request.event_time_field}" if named else "$.as_of"
    return EarlyInstantError(
        f"The instant {to_text(instant_us)} is too early for feature group {group.label}. It is exact for this entity "
        f"from {to_text(from_us)} on, because events are kept one by one for the head of "
        f"{spelled_duration(group.head)}, and for as long as they may be dated ahead. Ask as of that instant or later. "
        f"Or replay the stored events, which is slow and exact: {_replay(view, request.instances[row], instant_us)}",
        path=path,
        group=group.label,
        exact_from_us=from_us,
    )


def _clock_behind(group: FeatureGroup, clock_us: int, from_us: int) -> ClockBehindError:
    """The request names no instant, so the sender of the request is not at fault."""
    return ClockBehindError(
        f"The clock of this service shows {to_text(clock_us)}. Stored features of {group.label} can be had for this "
        f"entity from {to_text(from_us)} on only, because newer events have been stored already. So the clock is "
        f"behind that of the Kafka brokers, or records were stamped ahead, by {(from_us - clock_us) / 1e6:.1f} s more "
        f"than the head of {spelled_duration(group.head)}. Set the clocks alike, or give `as_of`.",
        group=group.label,
        exact_from_us=from_us,
    )


def _replay(view: str, instance: Any, instant_us: int) -> str:
    """The command that gives the features of an instance as of any instant, as it is typed in a checkout."""
    if not view:
        return "./run dataset --spine FILE --output FILE, for a view that reads the group."
    given = shlex.quote(_ENCODER.encode(instance).decode())
    given = given if len(given) <= _LONGEST_INSTANCE else "@instance.json"
    return (
        f"./run stream history {view} {given} --as-of {to_text(instant_us)} (where Millrace is installed: `millrace`)"
    )
