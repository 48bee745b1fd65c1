"""What an audit found, as lines to read."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from shared_features.counted import counted
from shared_features.formats.prediction_log import Hole
from training.inference.audit.findings import CLOCK, LATE_EVENT, STREAM_LAG, UNPROVABLE, Audited

_MEANINGS = {
    CLOCK: "the shard had consumed records of a later time than the answer's, so the clocks disagree",
    STREAM_LAG: "an event had come before the request, and the stream had not applied it",
    LATE_EVENT: "an event came after the request",
}
_NOT_PROVABLE = " (no fault is shown: the lake lacks events that the answer is from)"


def audit_lines(found: Audited, most: int, view: str = "") -> Iterator[str]:
    """The counts, then each difference with its cause, and the numbers that are missing. most: differences shown.

    view: whose scores were audited; empty: the prediction log was.
    """
    where = f"scores of {view}" if view else "prediction log"
    yield (
        f"{counted(found.records, 'record')} of the {where}: {found.equal:,} of "
        f"{counted(found.predictions, 'prediction')} have the same features and scores again, bit for bit"
    )
    if found.unseen is not None:
        yield from _truth_lines(found.predictions, found.unseen)
    if found.erased:
        yield f"{counted(found.erased, 'record was', 'records were')} erased with an entity"
    if found.refused:
        yield f"{counted(found.refused, 'event')} without a score: the record says why it was refused"
    for cause, count in sorted(found.by_cause.items()):
        yield f"{cause}: {counted(count, 'record')}{_NOT_PROVABLE if cause in UNPROVABLE else ''}"
    for each in found.differences[:most]:
        yield f"  {each.id}  {each.cause}: {each.detail}"
    if (hidden := found.by_cause.total() - len(found.differences[:most])) > 0:
        yield f"  and {counted(hidden, 'other')}; --show N shows more"
    for instance, holes in sorted(found.missing.items()):
        shown = ", ".join(map(_numbers, holes[:most])) + (", ..." if len(holes) > most else "")
        missing = sum(last - first + 1 for first, last in holes)
        if view:
            yield f"{counted(missing, 'event')} of {instance} without a record of a score: {shown}"
        else:
            yield f"process {instance} has no record of {counted(missing, 'answer')}: {shown}"


def _truth_lines(predictions: int, unseen: Counter[str]) -> Iterator[str]:
    yield (
        f"{predictions - unseen.total():,} of {counted(predictions, 'prediction')} had seen every event that had "
        "happened before their instant"
    )
    for cause, count in unseen.items():
        if count:
            yield f"{cause}: {counted(count, 'prediction')} (not a fault: {_MEANINGS[cause]})"


def _numbers(hole: Hole) -> str:
    first, last = hole
    return str(first) if first == last else f"{first} to {last}"
