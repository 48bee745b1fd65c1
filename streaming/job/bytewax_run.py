"""Runs a dataflow to its end, and gives the exit code of the process."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable

from bytewax.dataflow import Dataflow
from bytewax.testing import cluster_main

from shared_features.errors import MillraceError
from streaming.errors import EXIT_OK, EXIT_REFUSED, EXIT_RESTART, StreamingError
from streaming.job.stopping import stop_requested
from streaming.job.timer_slack import relaxed
from streaming.log import get_log
from streaming.settings import StreamingSettings

_LOG = get_log("dataflow")
_LOOK_EVERY_S = 0.2
_TOGETHER_S = 10.0
"""If all processes of a cluster are asked to stop, they end well within this time."""


def run_dataflow(settings: StreamingSettings, build: Callable[[StreamingSettings], Dataflow]) -> int:
    """Build it and run it as this process's part of the cluster; the exit code. Unknown errors are raised."""
    if len(settings.workers) > 1:
        threading.Thread(target=_end_if_left_alone, name="left-alone", daemon=True).start()
    try:
        flow = build(settings)
        workers = list(settings.workers)
        with relaxed():  # sources call `precise` in the thread of their worker
            cluster_main(flow, workers, settings.worker, epoch_interval=settings.epoch)  # type: ignore[no-untyped-call]
    except Exception as error:
        stopped = _own_error(error)
        if stopped is None:
            raise
        exit_code = stopped.exit_code if isinstance(stopped, StreamingError) else EXIT_REFUSED
        if exit_code != EXIT_OK:
            say = _LOG.info if exit_code == EXIT_RESTART else _LOG.error  # the supervisor restarts it at once
            say("stopped", reason=str(stopped), exit_code=exit_code)
        return exit_code
    return EXIT_OK


def _end_if_left_alone() -> None:
    """The processes of a cluster end together. A process that was asked alone would wait, and its work would wait too.

    So it ends by itself. The supervisor then restarts the cluster, and uncommitted events are read again.
    """
    while not stop_requested():
        time.sleep(_LOOK_EVERY_S)
    time.sleep(_TOGETHER_S)
    _LOG.warning("ending without the other processes of the cluster, because only this one was asked to stop")
    os._exit(EXIT_RESTART)


def _own_error(error: BaseException | None) -> MillraceError | None:
    while error is not None and not isinstance(error, MillraceError):
        error = error.__cause__ or error.__context__  # Bytewax wraps what its parts raise
    return error
