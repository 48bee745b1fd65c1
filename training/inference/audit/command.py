"""`python -m training audit`."""

from __future__ import annotations

import gc
import sys
from collections.abc import Iterator

import structlog

from shared_features.compilation.compilation import compile_in_turn
from shared_features.counted import counted
from shared_features.definitions import load_definitions
from shared_features.formats.audit_mark import AUDIT_MARK, encode_mark
from shared_features.kernel.event_time import to_text
from training.datasets.offline_store import OfflineStore
from training.durable_files import replace_file
from training.inference.audit.audit import audit
from training.inference.audit.audit_text import audit_lines
from training.inference.audit.findings import OTHER_SCHEMA, UNARCHIVED_EVENTS, Audited
from training.inference.audit.stored_log import StoredLog
from training.registry.versions import Registry
from training.settings import TrainingSettings

_LOG = structlog.get_logger(part="audit")


def audit_log(settings: TrainingSettings, show: int, truth: bool = False) -> int:
    """Print what was found, and leave a mark for `retain`. show: how many differences. Returns 1 for a fault.

    truth: also compare with event-time truth.
    """
    store = OfflineStore(settings.lake)
    log = StoredLog(store)
    compile_in_turn(_LOG.info)
    gc.freeze()  # else each full collection walks through all that was imported: a tenth of an audit's time
    found = audit(
        store,
        Registry(settings.registry),
        load_definitions(settings.definitions),
        log,
        settings.audit_predictions_at_once,
        settings.spine_events_at_once,
        show,
        truth=truth,
    )
    sys.stdout.writelines(f"{line}\n" for line in audit_lines(found, show))
    sys.stdout.writelines(f"{line}\n" for line in _mark(settings, log, found))
    return 1 if found.faults else 0


def _mark(settings: TrainingSettings, log: StoredLog, found: Audited) -> Iterator[str]:
    """Say that everything was audited, where it was: `retain` keeps what the rest needs."""
    waiting = found.by_cause[UNARCHIVED_EVENTS] + found.by_cause[OTHER_SCHEMA]
    if waiting:
        yield f"{counted(waiting, 'record')} could not be audited yet: `retain` keeps what the log needs; audit again"
    elif until_us := log.complete_until_us:
        replace_file(settings.lake / AUDIT_MARK, encode_mark(until_us))
        yield f"audited up to {to_text(until_us)}: `retain` keeps nothing any more for what was logged before"
