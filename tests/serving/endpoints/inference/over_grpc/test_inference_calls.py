"""The protocol over gRPC as Triton's own client speaks it: the numbers are those of `:predict`, bit for bit."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path
from typing import Any

import grpc
import numpy as np
import pytest
from tritonclient.grpc import InferInput, InferRequestedOutput
from tritonclient.utils import InferenceServerException

from deploy.embedded.kafka.kafka_simulator import KafkaSimulator
from serving.endpoints.inference.over_grpc.messages import MESSAGES, SERVICE
from serving.tracing.stages import RECEIVE
from shared_features.access.api_keys import ApiKey, digest_of
from shared_features.access.key_file import add_key
from tests.docs.pages import page
from tests.domains.machines import BREAKDOWNS, READINGS
from tests.fakes import InMemoryOnlineStore
from tests.serving.asking import PATH
from tests.serving.conftest import INSTANCE, NOW_US
from tests.serving.endpoints.inference.over_grpc.conftest import Clients
from tests.serving.endpoints.inference.test_infer_endpoint import ROWS
from tests.serving.prediction_log.kafka_topics import PARTITIONS, TOPIC, logged_in
from tests.serving.tracing.collector import collecting

AS_OF = {"as_of": NOW_US}
TEXTS, NUMBERS = ("plant", "machine"), ("celsius", "humidity")


def tensors(rows: list[dict[str, Any]], numbers: str = "FP64") -> list[Any]:
    found = []
    for name, datatype in (*((name, "BYTES") for name in TEXTS), *((name, numbers) for name in NUMBERS)):
        kind = {"BYTES": np.object_, "FP64": np.float64, "FP32": np.float32}[datatype]
        values = [each[name].encode() if datatype == "BYTES" else each.get(name, np.nan) for each in rows]
        found.append(InferInput(name, [len(rows)], datatype))
        found[-1].set_data_from_numpy(np.array(values, kind))
    return found


def typed(rows: list[dict[str, Any]]) -> Any:
    """As grpcurl and clients of MLServer send it: values in their own members, and not as bytes."""
    message = MESSAGES["ModelInferRequest"](model_name="breakdown")
    message.parameters["as_of"].int64_param = NOW_US
    for name in TEXTS:
        tensor = message.inputs.add(name=name, datatype="BYTES", shape=[len(rows)])
        tensor.contents.bytes_contents.extend(each[name].encode() for each in rows)
    for name in NUMBERS:
        tensor = message.inputs.add(name=name, datatype="FP64", shape=[len(rows), 1])
        tensor.contents.fp64_contents.extend(each.get(name, np.nan) for each in rows)
    return message


async def predicted(clients: Clients, rows: list[dict[str, Any]]) -> Any:
    answer = await clients.http.post(PATH, json={"instances": rows, **AS_OF})
    assert answer.status_code == 200
    return answer.json()


async def until(seen: Callable[[], bool]) -> None:
    deadline_s = time.monotonic() + 60
    while not seen():
        assert time.monotonic() < deadline_s
        await asyncio.sleep(0.01)


def test_the_server_and_the_model_tell_what_they_are(called: Any) -> None:
    async def work(clients: Clients) -> None:
        triton = clients.triton
        assert await triton.is_server_live()
        assert await triton.is_server_ready()
        ready = [await triton.is_model_ready(*each) for each in (("breakdown",), ("breakdown", "1"))]
        assert ready == [True, True]
        unready = [await triton.is_model_ready(*each) for each in (("breakdown", "9"), ("nothing",))]
        assert unready == [False, False]
        assert (await triton.get_server_metadata()).name == "millrace"
        told = await triton.get_model_metadata("breakdown")
        plain = (await clients.http.get("/v2/models/breakdown")).json()
        assert (told.name, list(told.versions), told.platform) == ("breakdown", ["1"], plain["platform"])
        for kind in ("inputs", "outputs"):
            found = [(each.name, each.datatype, list(each.shape)) for each in getattr(told, kind)]
            assert found == [(each["name"], each["datatype"], each["shape"]) for each in plain[kind]]
        with pytest.raises(InferenceServerException, match=r"NOT_FOUND.*Unknown model 'nothing'"):
            await triton.get_model_metadata("nothing")

    called(work)


def test_scores_are_those_of_predict_bit_for_bit_as_bytes_and_as_values(called: Any) -> None:
    rows = [{name: value for name, value in each.items() if name != "firmware"} for each in ROWS]

    async def work(clients: Clients) -> None:
        expected = await predicted(clients, rows)
        scores = np.array([each["score"] for each in expected["predictions"]])
        assert len(set(scores.tolist())) > 1
        for numbers in ("FP64", "FP32"):
            found = await clients.triton.infer("breakdown", tensors(rows, numbers), request_id="r1", parameters=AS_OF)
            assert found.as_numpy("score").tobytes() == scores.tobytes()
        told = found.get_response()
        assert (told.model_name, told.model_version, told.id) == ("breakdown", "1", "r1")
        assert told.parameters["as_of_us"].int64_param == NOW_US
        raw = await clients.channel.unary_unary(f"/{SERVICE}/ModelInfer")(typed(rows).SerializeToString(), timeout=60)
        answer = MESSAGES["ModelInferResponse"].FromString(raw)
        assert list(answer.outputs[0].contents.fp64_contents) == scores.tolist()
        assert clients.counted(view="breakdown:v1", status="200") == 4

    called(work)


def test_the_limits_and_errors_are_those_of_predict(called: Any) -> None:
    async def work(clients: Clients) -> None:
        async def refused(given: list[Any], model: str = "breakdown", **options: Any) -> tuple[str, str]:
            with pytest.raises(InferenceServerException) as error:
                await clients.triton.infer(model, given, **options)
            return str(error.value.status()).removeprefix("StatusCode."), str(error.value.message())

        assert await refused(tensors(ROWS * 100)) == (
            "RESOURCE_EXHAUSTED", "The request has 300 instances. Send at most 256 in one request.",
        )  # fmt: skip
        assert (await refused(tensors(ROWS)[1:])) == (
            "INVALID_ARGUMENT", "Missing field plant at $.instances[0].plant. Write a text of at most 20 characters.",
        )  # fmt: skip
        hot = [each | {"celsius": 900.0} for each in ROWS]
        plain = (await clients.http.post(PATH, json={"instances": hot})).json()
        assert await refused(tensors(hot)) == ("INVALID_ARGUMENT", plain["detail"])
        assert (await refused(tensors(ROWS), outputs=[InferRequestedOutput("value")]))[0] == "INVALID_ARGUMENT"
        assert (await refused(tensors(ROWS), model_version="9"))[0] == "NOT_FOUND"
        assert (await refused(tensors(ROWS), "nothing"))[0] == "NOT_FOUND"
        assert clients.counted(problem="too-many-instances", status="413") == 1
        assert (await refused(tensors(ROWS), compression_algorithm="gzip"))[0] == "UNIMPLEMENTED"

    called(work)


def test_bytes_that_are_no_request_are_refused_and_are_no_error_of_the_service(called: Any) -> None:
    async def work(clients: Clients) -> None:
        sent = {
            "INVALID_ARGUMENT": (b"\xff\xff\xff", b"\x0a\x02\xff\xfe", b"\x0a\x05br", b"\x0a\x09breakdown"),
            "NOT_FOUND": (b"", b"\x2a\x00" * 20),
            "RESOURCE_EXHAUSTED": (bytes(5_000_000),),
        }
        for status, messages in sent.items():
            for message in messages:
                found, details, _ = await clients.send(message)
                assert found == status, details
        assert (await clients.send(b"\xff", method="ModelMetadata"))[0] == "INVALID_ARGUMENT"
        assert (await clients.send(b"", method="ModelStatistics"))[0] == "UNIMPLEMENTED"
        headers = [(f"x-{number}", "a" * 1000) for number in range(100)]
        assert (await clients.send(b"", metadata=headers))[0] == "RESOURCE_EXHAUSTED"
        many = b"\x0a\x09breakdown" + b"\x2a\x00" * 1_000_000
        assert "1000000 inputs" in (await clients.send(many))[1]
        assert clients.counted(status="500") == 0
        assert (await predicted(clients, ROWS))["degraded"] is False

    called(work)


def test_a_key_is_asked_for_counted_and_logged_as_by_predict(called: Any, tmp_path: Path) -> None:
    keys = tmp_path / "keys"
    add_key(keys, ApiKey("looks", frozenset({"read"}), digest_of(b"looks")))
    add_key(keys, ApiKey("shop", frozenset({"predict"}), digest_of(b"shop"), requests_per_s=0.01))
    message = typed(ROWS).SerializeToString()

    async def work(clients: Clients) -> list[tuple[str, dict[str, Any]]]:
        found = []
        for given in (None, "wrong", "looks", "shop", "shop"):
            metadata = [("authorization", f"Bearer {given}")] if given else None
            status, details, told = await clients.send(message, metadata=metadata)
            assert "shop" not in details or status == "RESOURCE_EXHAUSTED"
            found.append((status, told))
        assert await clients.triton.is_server_live()
        return found

    with KafkaSimulator({TOPIC: PARTITIONS, READINGS.topic: 1, BREAKDOWNS.topic: 1}) as kafka:
        log = {
            "prediction_log_topic": TOPIC,
            "prediction_log_spool": tmp_path / "spool",
            "kafka_bootstrap_servers": kafka.bootstrap_servers,
        }
        answers = called(work, api_keys_file=keys, **log)
        (record,) = logged_in(kafka.bootstrap_servers, 1)
    assert [status for status, _ in answers] == [
        "UNAUTHENTICATED", "UNAUTHENTICATED", "PERMISSION_DENIED", "OK", "RESOURCE_EXHAUSTED",
    ]  # fmt: skip
    assert answers[0][1]["millrace-problem"] == "unknown-key"
    assert 0 < int(answers[-1][1]["grpc-retry-pushback-ms"]) <= 100_000
    assert record.caller == "shop"


def test_a_message_that_does_not_come_is_not_waited_for(called: Any) -> None:
    async def work(clients: Clients) -> None:
        async def nothing() -> Any:
            await asyncio.sleep(60)
            yield b""

        with pytest.raises(grpc.aio.AioRpcError, match=r"not complete within 0\.05 seconds") as error:
            await clients.channel.stream_unary(f"/{SERVICE}/ModelInfer")(nothing(), timeout=60)
        assert error.value.code() is grpc.StatusCode.DEADLINE_EXCEEDED
        with pytest.raises(grpc.aio.AioRpcError, match="The call has no message"):
            await clients.channel.stream_unary(f"/{SERVICE}/ModelInfer")(iter(()), timeout=60)

    called(work, serving_receive_s=0.05)


def test_what_nobody_waits_for_is_not_computed_and_what_is_too_much_is_refused(
    called: Any, store: InMemoryOnlineStore
) -> None:
    message = typed([INSTANCE] * 4).SerializeToString()

    async def work(clients: Clients) -> None:
        store.gate = asyncio.Event()
        flying = asyncio.create_task(clients.send(message))
        asked = len(store.asked)

        await until(lambda: len(store.asked) > asked)
        leaving = asyncio.create_task(clients.send(message))
        await until(lambda: clients.rows_waiting == 4)
        status, details, metadata = await clients.send(typed([INSTANCE] * 5).SerializeToString())
        assert (status, metadata["millrace-problem"]) == ("UNAVAILABLE", "overloaded"), details
        assert metadata["grpc-retry-pushback-ms"] == "1000"
        leaving.cancel()
        await until(lambda: clients.counted(problem="client-left") == 1)
        store.gate.set()
        assert (await flying)[0] == "OK"
        assert (await clients.send(message))[0] == "OK"
        assert len(store.asked) == asked + 2

    called(work, serving_max_waiting=8)


def test_the_lines_of_the_guide_run(called: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    page_of_it = page("docs/how-to/open-inference-protocol.md")
    (block,) = [each for each in page_of_it.blocks() if each.language == "python" and "tritonclient.grpc" in each.code]

    async def work(clients: Clients) -> str:
        assert clients.app.grpc is not None
        monkeypatch.setenv("MILLRACE_SERVING_GRPC_PORT", str(clients.app.grpc.port))
        return await asyncio.to_thread(printed, block)

    assert 0 <= float(called(work).strip("[]\n ")) <= 1


def printed(block: Any) -> str:
    with redirect_stdout(StringIO()) as told:
        exec(compile(block.code, str(block), "exec"), {})  # the page's own lines
    return told.getvalue()


def test_a_call_is_a_span_below_its_client(called: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    trace, parent = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"

    async def work(clients: Clients) -> None:
        metadata = [("traceparent", f"00-{trace}-{parent}-01")]
        assert (await clients.send(typed(ROWS).SerializeToString(), metadata=metadata))[0] == "OK"

    with collecting() as collector:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", collector.url)
        monkeypatch.setenv("OTEL_BSP_SCHEDULE_DELAY", "50")
        monkeypatch.setenv("NO_PROXY", "127.0.0.1")
        called(work, traces=True)
        (span,) = collector.wait_for("predict")
        assert (span.trace, span.parent, span.facts["millrace.rows"]) == (trace, parent, len(ROWS))
        assert RECEIVE in [each.name for each in collector.below(span)]
