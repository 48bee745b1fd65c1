"""Why a request of a batch is refused, from what was read for its rows."""

from __future__ import annotations

from serving.errors import (
    CatchingUpError,
    ClockBehindError,
    EarlyInstantError,
    FailedModelError,
    SlowModelError,
    UnreadableStateError,
)
from serving.features.earliest_instant import early_instant
from serving.request.request_body import PredictionRequest
from shared_features.stored_features.feature_vectors import FeatureRows

Refusal = (
    CatchingUpError | ClockBehindError | EarlyInstantError | UnreadableStateError | FailedModelError | SlowModelError
)


def problem_of_rows(rows: FeatureRows, start: int, stop: int) -> CatchingUpError | UnreadableStateError | None:
    """Why the stored features of a request cannot be told: the first of its rows that has a problem."""
    for group in rows.groups:
        for problem, unreadable in zip(group.problems[start:stop], group.unreadable[start:stop], strict=True):
            if problem is not None:
                return (UnreadableStateError if unreadable else CatchingUpError)(problem, group=group.name)
    return None


def instant_too_early(
    view: str, request: PredictionRequest, rows: FeatureRows, start: int, stop: int
) -> EarlyInstantError | ClockBehindError | None:
    """Why an instant of a request is refused: the first that lies before what the store still tells exactly."""
    for group in rows.groups:
        for row, exact_us in enumerate(group.exact_from_us[start:stop]):
            if exact_us is not None and group.problems[start + row] is None:
                return early_instant(view, request, row, group.group, int(rows.as_of_us[start + row]), exact_us)
    return None
