"""A collector of traces on this machine: OTLP over HTTP, on a free port."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest


@dataclass(frozen=True)
class SeenSpan:
    """A span as it came. Ids as hexadecimal text; times in nanoseconds."""

    name: str
    trace: str
    id: str
    parent: str
    began_ns: int
    ended_ns: int
    facts: dict[str, Any]
    is_error: bool


class Collector:
    """seen: the spans that came. raw: the same as bytes. held: while it is cleared, nothing is answered."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.seen: list[SeenSpan] = []
        self.raw = b""
        self.service = ""
        self.paths: set[str] = set()
        self.held = threading.Event()
        self.held.set()

    def take(self, path: str, body: bytes) -> None:
        self.paths.add(path)
        self.raw += body
        for resource in ExportTraceServiceRequest.FromString(body).resource_spans:
            described = {each.key: each.value.string_value for each in resource.resource.attributes}
            self.service = described["service.name"]
            for scope in resource.scope_spans:
                self.seen += [_seen(each) for each in scope.spans]

    def wait_for(self, name: str, count: int = 1) -> list[SeenSpan]:
        """The spans of that name, when there are so many."""
        until = time.monotonic() + 60
        while len(found := [each for each in self.seen if each.name == name]) < count:
            assert time.monotonic() < until, f"{count} spans {name!r} did not come: {self.seen}"
            time.sleep(0.02)
        return found

    def below(self, parent: SeenSpan) -> list[SeenSpan]:
        return sorted((each for each in self.seen if each.parent == parent.id), key=lambda each: each.began_ns)


def _seen(span: Any) -> SeenSpan:
    facts = {each.key: getattr(each.value, each.value.WhichOneof("value")) for each in span.attributes}
    trace, own, parent = (each.hex() for each in (span.trace_id, span.span_id, span.parent_span_id))
    return SeenSpan(
        span.name, trace, own, parent, span.start_time_unix_nano, span.end_time_unix_nano, facts, span.status.code == 2
    )


@contextmanager
def collecting() -> Iterator[Collector]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            collector.held.wait(60)
            collector.take(self.path, body)
            self.send_response(200)
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, *_: Any) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    collector = Collector(f"http://127.0.0.1:{server.server_port}")
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield collector
    finally:
        collector.held.set()
        server.shutdown()
        thread.join()
        server.server_close()
