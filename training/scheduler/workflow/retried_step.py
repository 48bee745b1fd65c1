"""How DBOS tries a step again: a few times, with growing pauses, and only after an error that may pass."""

from __future__ import annotations

from dbos import StepOptions

from training.errors import TransientStepError

FIRST_WAIT_S = 2.0
_ATTEMPTS = 4


def retried(name: str) -> StepOptions:
    return {
        "name": name,
        "retries_allowed": True,
        "max_attempts": _ATTEMPTS,
        "interval_seconds": FIRST_WAIT_S,
        "backoff_rate": 3.0,
        "should_retry": lambda failure: isinstance(failure, TransientStepError),
    }
