"""The spans of a run, made from its journal and sent. Imported only where traces are asked for.

The ids follow from the run: a trace that is sent twice, because a process ended in between, is one trace.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.trace import ReadableSpan, SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import SpanExportResult
from opentelemetry.sdk.trace.id_generator import IdGenerator
from opentelemetry.trace import Status, StatusCode, set_span_in_context

from shared_features.tracing.described import described
from training.steps.run_journal import SUCCEEDED, Journal


class _Ids(IdGenerator):
    """Of one run. of: what the next span is of."""

    def __init__(self, run: str) -> None:
        self._run = run
        self.of = ""

    def generate_trace_id(self) -> int:
        return self._number("", 16)

    def generate_span_id(self) -> int:
        return self._number(self.of or "run", 8)

    def _number(self, of: str, size: int) -> int:
        return int.from_bytes(hashlib.sha256(f"{self._run}/{of}".encode()).digest()[:size]) or 1


class _Kept(SpanProcessor):
    """Keeps the spans that ended: a run has few."""

    def __init__(self) -> None:
        self.spans: list[ReadableSpan] = []

    def on_end(self, span: ReadableSpan) -> None:
        self.spans.append(span)


@dataclass(frozen=True)
class _Shown:
    """A step as a span. Instants in nanoseconds. done: None of the step at which the run failed."""

    name: str
    began_ns: int
    ended_ns: int
    done: str | None


def send_trace(run: Path, journal: Journal, names: Sequence[str], now_ns: int) -> bool:
    """Whether the collector took it. No text of the run is in it: an error may show rows. names: of the steps."""
    ids, kept = _Ids(f"{run.parent.name}/{run.name}/{journal.began_at_us}"), _Kept()
    provider = TracerProvider(resource=described("millrace-training"), id_generator=ids, shutdown_on_exit=False)
    provider.add_span_processor(kept)
    tracer = provider.get_tracer("millrace.training")
    steps = list(_shown(journal, names, now_ns))
    root = tracer.start_span("training run", start_time=journal.began_at_us * 1000)
    root.set_attributes(
        {"millrace.view": run.parent.name, "millrace.run": run.name, "millrace.template": journal.template}
    )
    for step in steps:
        ids.of = step.name
        span = tracer.start_span(step.name, context=set_span_in_context(root), start_time=step.began_ns)
        if step.done is None:
            span.set_status(Status(StatusCode.ERROR))
        else:
            span.set_attribute("millrace.step.done", step.done)
        span.end(step.ended_ns)
    if journal.status != SUCCEEDED:
        root.set_status(Status(StatusCode.ERROR))
    root.end(max(journal.began_at_us * 1000, *(step.ended_ns for step in steps)) if steps else now_ns)
    return _export(kept.spans)


def _export(spans: Sequence[ReadableSpan]) -> bool:
    exporter = OTLPSpanExporter()
    try:
        return not spans or exporter.export(spans) is SpanExportResult.SUCCESS
    finally:
        exporter.shutdown()  # type: ignore[no-untyped-call]  # the library gives it no types


def _shown(journal: Journal, names: Sequence[str], now_ns: int) -> Iterator[_Shown]:
    """The finished steps, and of a run that failed the step after them: nobody noted when it began."""
    began_ns = last_ns = journal.began_at_us * 1000
    for name, entry in journal.steps.items():
        # A release before this one did not note when a step ended.
        ended_ns = last_ns if entry.ended_at_us is None else entry.ended_at_us * 1000
        yield _Shown(name, max(began_ns, ended_ns - round(entry.seconds * 1e9)), ended_ns, entry.done)
        last_ns = max(last_ns, ended_ns)
    failed = next((name for name in names if name not in journal.steps), None)
    if failed is not None and journal.status != SUCCEEDED:
        yield _Shown(failed, last_ns, max(last_ns, now_ns), None)
