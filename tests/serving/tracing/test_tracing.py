"""Traces of real requests, as a collector on this machine gets them; and what a collector that fails costs."""

from __future__ import annotations

import asyncio
import importlib.util
from collections.abc import Iterator
from typing import Any

import pytest

from serving.connections.asking_client import AskingClient
from serving.errors import WrongSettingError
from serving.settings import load_settings
from serving.tracing.opened_tracing import check_tracing, open_tracing
from serving.tracing.stages import FEATURES, MODEL, NO_LAPS, PARSE, READ, RECEIVE, WRITE, lap_of
from shared_features.access.api_keys import ADMIN, ApiKey, digest_of
from shared_features.access.key_file import add_key
from tests.serving.asking import PATH
from tests.serving.conftest import INSTANCE
from tests.serving.tracing.collector import Collector, collecting

BODY = {"instances": [INSTANCE] * 3}
STAGES = [RECEIVE, PARSE, READ, FEATURES, MODEL, WRITE]
TRACE, PARENT = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"


@pytest.fixture
def collector(monkeypatch: pytest.MonkeyPatch) -> Iterator[Collector]:
    with collecting() as found:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", found.url)
        monkeypatch.setenv("OTEL_BSP_SCHEDULE_DELAY", "50")
        monkeypatch.setenv("NO_PROXY", "127.0.0.1")
        yield found


def ask(serving: Any, *requests: dict[str, Any], path: str = PATH, **settings: Any) -> list[Any]:
    """All of them at once, of one application that sends traces."""

    async def once() -> list[Any]:
        async with serving(traces=True, **settings) as client:
            return await asyncio.gather(*(client.post(path, **{"json": BODY, **each}) for each in requests))

    return asyncio.run(once())


def carried(text: str) -> dict[str, Any]:
    return {"headers": [("traceparent", text)]}


def test_a_request_is_a_span_below_its_client_and_its_stages_are_spans_below_it(serving, collector, tmp_path):
    add_key(tmp_path / "keys", ApiKey("shop", frozenset({ADMIN}), digest_of(b"geheim")))
    head = {"traceparent": f"00-{TRACE}-{PARENT}-01", "tracestate": "shop=1", "authorization": "Bearer geheim"}
    (answer,) = ask(serving, {"headers": head}, api_keys_file=tmp_path / "keys")
    assert answer.status_code == 200
    (span,) = collector.wait_for("predict")
    assert (span.trace, span.parent, span.is_error) == (TRACE, PARENT, False)
    assert span.facts == {
        "millrace.view": "breakdown:v1",
        "millrace.model": "breakdown",
        "millrace.version": 1,
        "millrace.rows": 3,
        "http.response.status_code": 200,
    }
    stages = collector.below(span)
    assert [each.name for each in stages] == STAGES
    times = [each for stage in stages for each in (stage.began_ns, stage.ended_ns)]
    assert times == sorted(times), "one after the other"
    assert span.began_ns <= times[0]
    assert times[-1] <= span.ended_ns
    assert (collector.paths, collector.service) == ({"/v1/traces"}, "millrace-serving")
    for secret in (b"geheim", b"shop", INSTANCE["machine"].encode()):
        assert secret not in collector.raw.replace(b"shop=1", b""), "a span says nothing of key and body"


def test_requests_that_share_a_round_trip_have_their_own_spans(serving, collector):
    answers = ask(serving, *(carried(f"00-{TRACE}-{number:016x}-01") for number in range(1, 9)))
    assert {each.status_code for each in answers} == {200}
    spans = collector.wait_for("predict", 8)
    assert {int(each.parent, 16) for each in spans} == set(range(1, 9))
    collector.wait_for(WRITE, 8)
    assert [[stage.name for stage in collector.below(each)] for each in spans] == [STAGES] * 8


@pytest.mark.parametrize(
    ("request_", "path", "name", "status", "problem", "stages"),
    [
        ({"content": b"["}, PATH, "predict", 422, "invalid-request", [RECEIVE]),
        ({}, "/v1/views/none:predict", "predict", 404, "unknown-view", [RECEIVE]),
        ({}, "/v1/views/breakdown:features", "features", 200, None, [RECEIVE, PARSE, READ, FEATURES]),
    ],
)
def test_a_refusal_and_a_request_for_features_are_traced_as_far_as_they_come(
    serving, collector, request_, path, name, status, problem, stages
):
    (answer,) = ask(serving, request_, path=path)
    assert answer.status_code == status
    (span,) = collector.wait_for(name)
    assert (span.facts["http.response.status_code"], span.facts.get("error.type")) == (status, problem)
    assert [each.name for each in collector.below(span)] == stages


ATTACKS = {
    "no text": ("traceparent", b"\xff\xfe"),
    "no trace": ("traceparent", f"00-{'0' * 32}-{PARENT}-01"),
    "not hexadecimal": ("traceparent", f"00-{'x' * 32}-{PARENT}-01"),
    "a line end": ("traceparent", f"00-{TRACE}-{PARENT}-01 evil"),
    "60 kB": ("traceparent", f"00-{TRACE}-{PARENT}-01-" + "0" * 60_000),
    "a long state": ("tracestate", "a=" + "b" * 60_000),
}


def test_what_is_no_trace_of_a_client_begins_one_and_is_carried_nowhere(serving, collector):
    good = ("traceparent", f"00-{TRACE}-{PARENT}-01")
    twice = {"headers": [good, ("traceparent", f"00-{TRACE}-{'1' * 16}-01")]}
    answers = ask(serving, *({"headers": [each]} for each in ATTACKS.values()), twice)
    assert {each.status_code for each in answers} == {200}
    spans = collector.wait_for("predict", len(answers))
    assert {each.parent for each in spans} == {""}
    assert TRACE not in {each.trace for each in spans}
    assert b"evil" not in collector.raw
    assert b"bbbb" not in collector.raw


def test_a_client_that_is_not_sampled_costs_no_spans(serving, collector):
    ask(serving, carried(f"00-{TRACE}-{PARENT}-00"), {})
    assert len(collector.wait_for("predict")) == 1
    assert TRACE not in {each.trace for each in collector.seen}


def test_a_collector_that_hangs_holds_up_no_answer_and_what_is_lost_is_counted(serving, collector, monkeypatch):
    """The end of the service does not wait for it either: the collector is held until after that."""
    monkeypatch.setenv("OTEL_BSP_MAX_QUEUE_SIZE", "10")
    monkeypatch.setenv("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "10")
    collector.held.clear()

    async def many() -> tuple[set[int], str]:
        async with serving(traces=True) as client:
            found = [(await client.post(PATH, json=BODY)).status_code for _ in range(30)]
            return set(found), (await client.get("/metrics")).text

    statuses, metrics = asyncio.run(many())
    assert not collector.held.is_set()
    assert statuses == {200}
    assert f"serving_dropped_spans_total {30 * 7 - 10:.1f}" in metrics


def test_a_collector_that_is_down_is_said_once_and_its_spans_are_counted(serving, monkeypatch, caplog):
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:1")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_TIMEOUT", "0.2")
    monkeypatch.setenv("OTEL_BSP_SCHEDULE_DELAY", "20")

    async def many() -> str:
        async with serving(traces=True) as client:
            for _ in range(600):
                assert (await client.post(PATH, json=BODY)).status_code == 200
                shown: str = (await client.get("/metrics")).text
                if "serving_dropped_spans_total 0.0" not in shown:
                    return shown
                await asyncio.sleep(0.1)
        raise AssertionError("no span was counted as dropped")

    assert "serving_dropped_spans_total" in asyncio.run(many())
    assert not [each for each in caplog.records if each.name.startswith("opentelemetry") and each.levelname != "DEBUG"]


def test_without_the_setting_nothing_is_opened_and_no_clock_is_looked_at():
    assert open_tracing(load_settings(), print) is None
    assert lap_of(AskingClient()) is NO_LAPS


def test_without_the_extra_the_error_says_what_to_install(monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    check_tracing(load_settings())
    with pytest.raises(WrongSettingError, match=r"Install the extra `millrace\[otel\]`"):
        check_tracing(load_settings(traces=True))
