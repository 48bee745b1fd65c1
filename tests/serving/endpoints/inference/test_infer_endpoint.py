"""The Open Inference Protocol as Triton's own client speaks it: the numbers are those of `:predict`, bit for bit."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
from tritonclient.http import InferenceServerClient, InferInput, InferRequestedOutput
from tritonclient.utils import InferenceServerException

from shared_features.access.api_keys import ApiKey, digest_of
from shared_features.access.key_file import add_key
from tests.docs.pages import page
from tests.serving.asking import PATH
from tests.serving.client.served_endpoint import served
from tests.serving.conftest import INSTANCE, NOW_US

INFER = "/v2/models/breakdown/infer"
ROWS: list[dict[str, Any]] = [
    INSTANCE,
    {"plant": "north", "machine": "press|2", "celsius": 71.35, "humidity": 0.125},
    {"plant": "south", "machine": "näver", "celsius": -12.0, "firmware": "2.0"},
]
AS_OF = {"as_of": NOW_US}


@pytest.fixture(scope="module")
def address(published: Path) -> Iterator[str]:
    with served(published) as (found, _):
        yield found


@pytest.fixture
def triton(address: str) -> Iterator[InferenceServerClient]:
    with InferenceServerClient(address.removeprefix("http://"), network_timeout=60.0) as client:
        yield client


def tensor(name: str, values: list[Any], datatype: str, *, binary: bool = True) -> Any:
    kinds = {"BYTES": np.object_, "FP64": np.float64, "FP32": np.float32}
    found = InferInput(name, [len(values)], datatype)
    given = [each.encode() for each in values] if datatype == "BYTES" else values
    found.set_data_from_numpy(np.array(given, kinds[datatype]), binary_data=binary)
    return found


def tensors(rows: list[dict[str, Any]], numbers: str = "FP64", *, binary: bool = True) -> list[Any]:
    return [
        *(tensor(name, [each[name] for each in rows], "BYTES", binary=binary) for name in ("plant", "machine")),
        tensor("celsius", [each["celsius"] for each in rows], numbers, binary=binary),
        tensor("humidity", [each.get("humidity", np.nan) for each in rows], numbers, binary=binary),
    ]


def predicted(address: str, rows: list[dict[str, Any]]) -> dict[str, Any]:
    answer = httpx.post(address + PATH, json={"instances": rows, **AS_OF}, timeout=60)
    assert answer.status_code == 200
    found: dict[str, Any] = answer.json()
    return found


def test_the_server_and_the_model_tell_what_they_are(triton: InferenceServerClient) -> None:
    assert triton.is_server_live()
    assert triton.is_server_ready()
    assert triton.is_model_ready("breakdown")
    assert triton.is_model_ready("breakdown", "1")
    assert not triton.is_model_ready("breakdown", "9")
    assert not triton.is_model_ready("nothing")
    assert triton.get_server_metadata()["extensions"] == ["binary_tensor_data"]
    told = triton.get_model_metadata("breakdown")
    assert (told["name"], told["versions"]) == ("breakdown", ["1"])
    assert {each["name"]: each["datatype"] for each in told["inputs"]} == {
        "plant": "BYTES", "machine": "BYTES", "celsius": "FP64", "humidity": "FP64", "firmware": "BYTES", "at": "BYTES"
    }  # fmt: skip
    assert [each["name"] for each in told["inputs"] if "parameters" not in each] == ["plant", "machine", "celsius"]
    assert told["outputs"] == [{"name": "score", "datatype": "FP64", "shape": [-1]}]


@pytest.mark.parametrize("binary", [True, False])
@pytest.mark.parametrize("numbers", ["FP64", "FP32"])
def test_scores_are_those_of_predict_bit_for_bit(
    address: str, triton: InferenceServerClient, numbers: str, binary: bool
) -> None:
    """A 32-bit 71.35 is 71.35: as 71.3499985 it would be another tenth of a degree."""
    rows = [{name: value for name, value in each.items() if name != "firmware"} for each in ROWS]
    rows = rows if binary else [each | {"humidity": 0.25} for each in rows]  # that client writes NaN, which JSON lacks
    expected = predicted(address, rows)
    outputs = None if binary else [InferRequestedOutput("score", binary_data=False)]
    found = triton.infer(
        "breakdown", tensors(rows, numbers, binary=binary), outputs=outputs, request_id="r1", parameters=AS_OF
    )
    scores = np.array([each["score"] for each in expected["predictions"]])
    assert found.as_numpy("score").tobytes() == scores.tobytes()
    assert len(set(scores.tolist())) > 1
    told = found.get_response()
    assert (told["model_name"], told["model_version"], told["id"]) == ("breakdown", "1", "r1")
    assert json.loads(told["parameters"]["receipt"]) == expected["receipt"]
    assert told["parameters"]["as_of_us"] == expected["as_of_us"]


def test_texts_times_and_shapes_of_every_kind_are_taken(address: str, triton: InferenceServerClient) -> None:
    rows = [each | {"firmware": "2.1", "at": "2025-12-31T23:59:50Z"} for each in ROWS]
    given = tensors(rows)
    given += [tensor(name, [each[name] for each in rows], "BYTES") for name in ("firmware", "at")]
    for each in given[:1]:
        each.set_shape([len(rows), 1])
    expected = [each["score"] for each in predicted(address, rows)["predictions"]]
    assert triton.infer("breakdown", given, parameters=AS_OF).as_numpy("score").tolist() == expected
    inputs: list[dict[str, Any]] = [
        {"name": name, "datatype": "BYTES", "shape": [3, 1], "data": [[each.get(name)] for each in ROWS]}
        for name in ("plant", "machine", "firmware")
    ]
    inputs.append({"name": "celsius", "datatype": "FP64", "shape": [3], "data": [each["celsius"] for each in ROWS]})
    inputs.append({"name": "humidity", "datatype": "FP64", "shape": [3], "data": [None, 0.125, None]})
    answer = httpx.post(address + INFER, json={"inputs": inputs, "parameters": AS_OF}, timeout=60).json()
    assert answer["outputs"][0]["data"] == [each["score"] for each in predicted(address, ROWS)["predictions"]]


def test_the_limits_and_errors_are_those_of_predict(address: str, triton: InferenceServerClient) -> None:
    def refused(given: list[Any], **options: Any) -> tuple[str, str]:
        with pytest.raises(InferenceServerException) as error:
            triton.infer("breakdown", given, **options)
        return str(error.value.status()), str(error.value.message())

    assert refused(tensors(ROWS * 100)) == ("413", "The request has 300 instances. Send at most 256 in one request.")
    status, said = refused(tensors(ROWS)[1:])
    assert (status, "plant" in said) == ("422", True)
    assert refused([*tensors(ROWS), tensor("celcius", [1.0] * 3, "FP64")])[1].startswith("Input celcius is not a field")
    hot = refused(tensors([each | {"celsius": 900.0} for each in ROWS]))
    plain = httpx.post(address + PATH, json={"instances": [each | {"celsius": 900.0} for each in ROWS]}).json()
    assert hot == ("422", plain["detail"])
    assert refused(tensors(ROWS), outputs=[InferRequestedOutput("value")])[1].startswith("The model has no output")
    assert refused(tensors(ROWS), outputs=[InferRequestedOutput("x")])[1].startswith("Output x is unknown")
    assert refused(tensors(ROWS), model_version="9")[0] == "404"
    with pytest.raises(InferenceServerException, match="Unknown model 'nothing'"):
        triton.get_model_metadata("nothing")
    with pytest.raises(InferenceServerException, match="Unknown feature view"):
        triton.infer("nothing", tensors(ROWS))


def sized(name: str, datatype: str, length: str) -> bytes:
    """One value, as bytes of this length."""
    parameters = f'"parameters": {{"binary_data_size": {length}}}'
    return f'{{"inputs": [{{"name": "{name}", "datatype": "{datatype}", "shape": [1], {parameters}}}]}}'.encode()


@pytest.mark.parametrize(
    ("head", "tail", "length"),
    [
        (b"{", b"", None),
        (b"[1]", b"", None),
        (b'{"inputs": []}', b"", None),
        (b'{"inputs": [{"name": "plant", "datatype": "TEXT", "shape": [1], "data": ["a"]}]}', b"", None),
        (b'{"inputs": [{"name": "plant", "datatype": "BYTES", "shape": [], "data": ["a"]}]}', b"", None),
        (b'{"inputs": [{"name": "plant", "datatype": "BYTES", "shape": [-1], "data": ["a"]}]}', b"", None),
        (b'{"inputs": [{"name": "plant", "datatype": "BYTES", "shape": [2], "data": ["a"]}]}', b"", None),
        (b'{"inputs": [{"name": "plant", "datatype": "BYTES", "shape": [1]}]}', b"", None),
        (b'{"inputs": [{"name": "plant", "datatype": "BYTES", "shape": [1, 0], "data": ["a"]}]}', b"", None),
        (b'{"inputs": [{"name": "plant", "datatype": "BYTES", "shape": [0], "data": []}]}', b"", None),
        (b'{"inputs": [{"name": "celsius", "datatype": "FP64", "shape": [9999999999], "data": []}]}', b"", None),
        (b'{"inputs": [{"name": "celsius", "datatype": "FP64", "shape": [1], "data": [' + b"[" * 9000, b"", None),
        (b'{"inputs": [{"name": "celsius", "datatype": "FP64", "shape": [1], "data": [{"a": 1}]}]}', b"", None),
        (b'{"inputs": [{"name": "celsius", "datatype": "FP64", "shape": [1], "data": [true]}]}', b"", None),
        (b'{"inputs": [{"name": "humidity", "datatype": "FP32", "shape": [1], "data": [1e300]}]}', b"", None),
        (sized("humidity", "FP64", "8"), b"\0\0\0\0\0\0\xf0\x7f", "all"),
        (sized("celsius", "FP64", "8"), b"1234567", "all"),
        (sized("celsius", "FP64", "-1"), b"12345678", "all"),
        (sized("celsius", "FP64", '"8"'), b"12345678", "all"),
        (sized("celsius", "BOOL", "1"), b"\x07", "all"),
        (sized("plant", "BYTES", "6"), b"\xff\xff\xff\xffab", "all"),
        (sized("plant", "BYTES", "6"), b"\x02\0\0\0\xff\xfe", "all"),
        (b'{"inputs": [{"name": "plant", "datatype": "BYTES", "shape": [1], "data": ["a"]}]}', b"more", "all"),
        (b"{}", b"", "99"),
        (b"{}", b"", "-1"),
        (b"{}", b"", "9" * 5000),
        (b'{"inputs": [{"name": "plant", "datatype": "BYTES", "shape": [1], "data": ["a"]}], '
         b'"parameters": {"as_of": []}}', b"", None),
    ],
)  # fmt: skip
def test_what_cannot_be_meant_is_refused_by_name_and_is_no_error_of_the_service(
    address: str, head: bytes, tail: bytes, length: str | None
) -> None:
    headers = (
        {} if length is None else {"Inference-Header-Content-Length": str(len(head)) if length == "all" else length}
    )
    answer = httpx.post(address + INFER, content=head + tail, headers=headers, timeout=60)
    assert answer.status_code in (413, 422), answer.text
    told = answer.json()
    assert told["error"] == told["detail"]
    assert len(answer.content) < 3_000


def test_a_key_is_asked_for_as_by_predict(serving: Any, tmp_path: Path) -> None:
    add_key(tmp_path / "keys", ApiKey("looks", frozenset({"read"}), digest_of(b"looks")))

    async def ask() -> list[int]:
        async with serving(api_keys_file=tmp_path / "keys") as client:
            sent = [client.post(INFER, json={}), client.post(INFER, headers={"authorization": "Bearer looks"}, json={})]
            return [each.status_code for each in await asyncio.gather(*sent)]

    assert asyncio.run(ask()) == [401, 403]


def test_the_lines_of_the_guide_run(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MILLRACE_SERVING_PORT", address.rpartition(":")[2])
    blocks = [each for each in page("docs/how-to/open-inference-protocol.md").blocks() if each.language == "python"]
    (block,) = [each for each in blocks if "tritonclient.http" in each.code]
    told: dict[str, Any] = {}
    exec(compile(block.code, str(block), "exec"), told)  # the page's own lines
    assert 0 <= told["answer"].as_numpy("score")[0] <= 1
