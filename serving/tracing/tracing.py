"""Tracing of requests by OpenTelemetry: a span of each, below the span of its client, and one of each of its stages."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable

from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SpanExporter
from opentelemetry.trace import SpanKind, Status, StatusCode, set_span_in_context
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from serving.tracing.exported_spans import ExportedSpans
from serving.tracing.stages import RequestTrace
from shared_features.tracing.described import described

_END_S = 2.0
_LONGEST = {b"traceparent": 128, b"tracestate": 2_048}
"""Bytes; what is longer is of no client that knows the standard, and is left out."""


class Tracing:
    """Of one process. The standard variables OTEL_... say where spans go, which are sampled, and what the service is.

    dropped: gets the number of spans that nobody will see.
    """

    def __init__(self, dropped: Callable[[int], None], exporter: SpanExporter | None = None) -> None:
        self._provider = TracerProvider(resource=described("millrace-serving"), shutdown_on_exit=False)
        self._provider.add_span_processor(ExportedSpans(exporter or OTLPSpanExporter(), dropped))
        self._tracer = self._provider.get_tracer("millrace.serving")
        self._propagator = TraceContextTextMapPropagator()

    def begin(self, name: str, headers: Iterable[tuple[bytes, bytes]]) -> RequestTrace | None:
        """The trace of a request that has begun; None where it is not sampled. headers: names in lower case."""
        span = self._tracer.start_span(name, context=self._propagator.extract(_carried(headers)), kind=SpanKind.SERVER)
        return RequestTrace(span) if span.is_recording() else None

    def end(self, trace: RequestTrace, status: int, problem: str) -> None:
        """The request is answered. problem: the name of the type of problem; empty for a good answer."""
        span = trace.span
        parent = set_span_in_context(span)
        for name, began_ns, ended_ns in trace.stages:
            self._tracer.start_span(name, context=parent, start_time=began_ns).end(ended_ns)
        span.set_attributes({**trace.facts, "http.response.status_code": status})
        if problem:
            span.set_attribute("error.type", problem)
        if status >= 500:
            span.set_status(Status(StatusCode.ERROR))
        span.end()

    def stop(self) -> None:
        """Send what waits, for two seconds at most."""
        ending = threading.Thread(target=self._provider.shutdown, name="spans", daemon=True)
        ending.start()
        ending.join(_END_S)


def _carried(headers: Iterable[tuple[bytes, bytes]]) -> dict[str, str]:
    """The headers of the standard; none that came twice: of two, each who reads the request may take another."""
    found: dict[str, str] = {}
    for name, value in headers:
        if name in _LONGEST:
            key = name.decode()
            found[key] = "" if key in found or len(value) > _LONGEST[name] else value.decode("latin-1")
    return {key: value for key, value in found.items() if value}
