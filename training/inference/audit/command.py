"""`python -m training audit`."""

from __future__ import annotations

import sys

import structlog

from shared_features.compilation.compilation import compile_in_turn
from shared_features.definitions import load_definitions
from training.datasets.offline_store import OfflineStore
from training.inference.audit.audit import audit
from training.inference.audit.audit_text import audit_lines
from training.inference.audit.stored_log import StoredLog
from training.registry.versions import Registry
from training.settings import TrainingSettings

_LOG = structlog.get_logger(part="audit")


def audit_log(settings: TrainingSettings, show: int) -> int:
    """Print what was found. show: how many differences. The exit code is 1 where there is a fault."""
    store = OfflineStore(settings.lake)
    log = StoredLog(store)
    compile_in_turn(_LOG.info)
    found = audit(
        store,
        Registry(settings.registry),
        load_definitions(settings.definitions),
        log,
        settings.audit_predictions_at_once,
        settings.spine_events_at_once,
        show,
    )
    sys.stdout.writelines(f"{line}\n" for line in audit_lines(found, show))
    return 1 if found.faults else 0
