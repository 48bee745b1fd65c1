"""`python -m training audit --scores`."""

from __future__ import annotations

import gc
import sys

import structlog

from shared_features.compilation.compilation import compile_in_turn
from shared_features.definitions import load_definitions
from training.datasets.offline_store import OfflineStore
from training.inference.audit.audit_text import audit_lines
from training.inference.audit.scores.score_audit import audit_scores
from training.inference.audit.scores.score_topic import ScoreTopic, topic_of
from training.registry.versions import Registry
from training.settings import TrainingSettings

_LOG = structlog.get_logger(part="audit")


def audit_view(settings: TrainingSettings, view: str | None, show: int, truth: bool = False) -> int:
    """Print what was found. Returns 1 for a fault. view: its name; None where only one is scored.

    show: how many differences. truth: also compare with event-time truth.
    """
    name, topic = topic_of(settings, view)
    store, catalogue = OfflineStore(settings.lake), load_definitions(settings.definitions)
    with ScoreTopic(settings, topic) as scores:
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
        )
    sys.stdout.writelines(f"{line}\n" for line in audit_lines(found, show, name))
    return 1 if found.faults else 0
