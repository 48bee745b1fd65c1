"""The states of a durable run, as DBOS has them and as we name them."""

from __future__ import annotations

QUEUED, RUNNING, SUCCEEDED, FAILED, CANCELLED = "queued", "running", "succeeded", "failed", "cancelled"
ENDED = (SUCCEEDED, FAILED, CANCELLED)
STATUS = {
    "ENQUEUED": QUEUED,
    "DELAYED": QUEUED,
    "PENDING": RUNNING,
    "SUCCESS": SUCCEEDED,
    "CANCELLED": CANCELLED,
    "ERROR": FAILED,
    "MAX_RECOVERY_ATTEMPTS_EXCEEDED": FAILED,
}
