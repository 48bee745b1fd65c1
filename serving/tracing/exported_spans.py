"""Spans on their way to a collector: in batches, on a thread, within a bound. No answer waits for them.

What is lost on the way is counted.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Sequence

from opentelemetry.sdk.environment_variables import OTEL_BSP_MAX_QUEUE_SIZE
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult

from serving.log import get_log

_MOST_WAITING = 2_048
_LOG = get_log("serving.tracing")


class _Counting(SpanExporter):
    """Counts what its exporter takes, and what is lost there."""

    def __init__(self, exporter: SpanExporter, dropped: Callable[[int], None]) -> None:
        self._exporter, self._dropped = exporter, dropped
        self._lock = threading.Lock()
        self._fails = False
        self.waiting = 0

    def came(self, most: int) -> bool:
        """Whether there is room for one more span. It counts as dropped where there is not."""
        with self._lock:
            has_room = self.waiting < most
            self.waiting += has_room
        if not has_room:
            self._dropped(1)
        return has_room

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        try:
            result = self._exporter.export(spans)
        except Exception as error:  # whatever a collector answers, or an environment variable says
            _LOG.error("dropping spans: the exporter raised", exc_info=error)
            result = SpanExportResult.FAILURE
        with self._lock:
            self.waiting -= len(spans)
        fails = result is not SpanExportResult.SUCCESS
        if fails:
            self._dropped(len(spans))
        if fails != self._fails:
            self._fails = fails
            told = "dropping spans: the collector does not take them" if fails else "the collector takes spans again"
            _LOG.warning(told)
        return result

    def shutdown(self) -> None:
        self._exporter.shutdown()


class ExportedSpans(BatchSpanProcessor):
    """OpenTelemetry's processor, whose queue drops the oldest spans without a count: here the newest, each counted.

    The standard variables OTEL_BSP_... hold. dropped: gets the number of spans that nobody will see.
    """

    def __init__(self, exporter: SpanExporter, dropped: Callable[[int], None]) -> None:
        self._counting = _Counting(exporter, dropped)
        self._most = int(os.environ.get(OTEL_BSP_MAX_QUEUE_SIZE) or _MOST_WAITING)
        super().__init__(self._counting, max_queue_size=2 * self._most)

    def on_end(self, span: ReadableSpan) -> None:
        if span.context is not None and span.context.trace_flags.sampled and self._counting.came(self._most):
            super().on_end(span)
