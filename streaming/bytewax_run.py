"""Running a dataflow to its end, and what the process then ends as."""

from __future__ import annotations

from collections.abc import Callable

from bytewax.dataflow import Dataflow
from bytewax.testing import cluster_main

from streaming.errors import EXIT_OK, StreamingError
from streaming.log import get_log
from streaming.settings import StreamingSettings

_LOG = get_log("dataflow")


def run_dataflow(settings: StreamingSettings, build: Callable[[StreamingSettings], Dataflow]) -> int:
    """Build it and run it as this process's part of the cluster; the exit code. Unknown errors are raised."""
    try:
        flow = build(settings)
        workers = list(settings.workers)
        cluster_main(flow, workers, settings.worker, epoch_interval=settings.epoch)  # type: ignore[no-untyped-call]
    except Exception as error:
        stopped = _streaming_error(error)
        if stopped is None:
            raise
        if stopped.exit_code != EXIT_OK:
            _LOG.error("stopped", reason=str(stopped), exit_code=stopped.exit_code)
        return stopped.exit_code
    return EXIT_OK


def _streaming_error(error: BaseException | None) -> StreamingError | None:
    while error is not None and not isinstance(error, StreamingError):
        error = error.__cause__ or error.__context__  # Bytewax wraps what its parts raise
    return error
