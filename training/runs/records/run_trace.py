"""A run as a trace of OpenTelemetry: a span of the run, and below it one of each step. Sent when the run has ended.

The steps may have been done by several processes, on several days: the journal has them all. What a collector does not
take is said in the log, and no run fails by it.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import structlog

from shared_features.errors import FeatureError
from shared_features.tracing.installed import NOT_INSTALLED, is_installed
from training.settings import TrainingSettings
from training.steps.run_journal import read_journal

_LOG = structlog.get_logger(part="traces")
_LIMIT_S = 15.0


def tell_traces(settings: TrainingSettings, run: Path, names: Callable[[], Sequence[str]]) -> None:
    """Send a run that has ended, where the settings ask for traces. What goes wrong is logged, and nothing else.

    names: those of its steps, in their order.
    """
    if not settings.traces:
        return
    if not is_installed():
        _LOG.warning("sending no trace of the run", run=run.name, reason=NOT_INSTALLED)
        return
    sent: list[str] = []
    sending = threading.Thread(target=_send, args=(run, names, sent), name="trace of a run", daemon=True)
    sending.start()
    sending.join(_LIMIT_S)
    why = sent[0] if sent else f"the collector did not answer within {_LIMIT_S:g} s"
    if why:
        _LOG.warning("sending no trace of the run", run=run.name, reason=why)


def _send(run: Path, names: Callable[[], Sequence[str]], sent: list[str]) -> None:
    """Appends what went wrong; "" where nothing did."""
    try:
        from training.runs.records.sent_trace import send_trace

        took = send_trace(run, read_journal(run), names(), time.time_ns())
        sent.append("" if took else "the collector does not take it")
    except FeatureError as error:
        sent.append(str(error))
    except Exception as error:  # whatever a collector answers, or an environment variable says
        sent.append(type(error).__name__)
