"""`python -m training audit --scores`."""

from __future__ import annotations

import gc
import sys

import structlog

from shared_features.compilation.compilation import compile_in_turn
from shared_features.counted import counted
from shared_features.definitions import load_definitions
from shared_features.formats.score_audit_mark import (
    ScoreAuditMark,
    decode_score_audit_mark,
    encode_score_audit_mark,
    score_audit_mark_file,
)
from training.datasets.offline_store import OfflineStore
from training.durable_files import replace_file
from training.inference.audit.audit_text import audit_lines
from training.inference.audit.findings import OTHER_SCORE_SCHEMA, UNARCHIVED_EVENTS, Audited
from training.inference.audit.scores.score_audit import audit_scores
from training.inference.audit.scores.score_topic import ScoreTopic, topic_of
from training.registry.versions import Registry
from training.settings import TrainingSettings

_LOG = structlog.get_logger(part="audit")


def audit_view(
    settings: TrainingSettings, view: str | None, show: int, *, truth: bool = False, new: bool = False
) -> int:
    """Print what was found, and leave a mark. Returns 1 for a fault. view: its name; None where only one is scored.

    show: how many differences. truth: also compare with event-time truth. new: only what came after the mark.
    """
    name, topic = topic_of(settings, view)
    store, catalogue, mark = OfflineStore(settings.lake), load_definitions(settings.definitions), _mark(settings, name)
    begins = (
        mark if new and mark is not None and mark.topic == topic else ScoreAuditMark(topic=topic, scores={}, events={})
    )
    with ScoreTopic(settings, topic, begins.scores) as scores:
        compile_in_turn(_LOG.info)
        gc.freeze()  # else each full collection walks through all that was imported
        found = audit_scores(
            store,
            Registry(settings.registry),
            catalogue,
            name,
            scores,
            settings.audit_predictions_at_once,
            settings.spine_events_at_once,
            show,
            truth=truth,
            known={number: at for number, at in begins.events.items() if begins.scores.get(number)},
        )
        first = {number: own for number, (own, _) in found.waiting.items()}
        before = {number: event - 1 for number, (_, event) in found.waiting.items()}
        audited = ScoreAuditMark(
            topic=topic, scores={**scores.read_to, **first}, events={**found.last_events, **before}
        )
    sys.stdout.writelines(f"{line}\n" for line in audit_lines(found, show, name))
    sys.stdout.write(f"{_marked(settings, name, audited, found)}\n")
    return 1 if found.faults else 0


def _mark(settings: TrainingSettings, view: str) -> ScoreAuditMark | None:
    file = settings.lake / score_audit_mark_file(view)
    return decode_score_audit_mark(file.read_bytes(), str(file)) if file.exists() else None


def _marked(settings: TrainingSettings, view: str, mark: ScoreAuditMark, found: Audited) -> str:
    """Say up to where everything was audited, where it was: `retain` keeps what the rest needs."""
    if others := found.by_cause[OTHER_SCORE_SCHEMA] + found.waiting_elsewhere:
        return f"{counted(others, 'score')} could not be audited yet: the mark stays where it was; audit again"
    replace_file(settings.lake / score_audit_mark_file(view), encode_score_audit_mark(mark))
    ends = ", ".join(f"{number}: {end}" for number, end in sorted(mark.scores.items()))
    waiting = found.by_cause[UNARCHIVED_EVENTS]
    if waiting:  # on a topic that is never idle, the newest ones always wait
        ends += f", where {counted(waiting, 'score')} must wait for the archive"
    return f"audited up to these offsets of {mark.topic}: {ends}; `retain` keeps what later scores need"
