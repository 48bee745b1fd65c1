"""Answers of each task as tensors, as JSON and as bytes; what clients read of them is a test of the endpoint."""

import json
import struct

import pytest

from serving.endpoints.inference.infer_answer import write_infer_answer
from serving.endpoints.inference.infer_request import InferRequest
from serving.errors import InvalidRequestError

OF_TASK = {
    "threshold": [{"score": 0.1, "decision": False}, {"score": 1 / 3, "decision": True}],
    "regression": [{"value": -2.5}],
    "names": [{"class": "late", "probabilities": {"on_time": 0.2, "late": 0.8}}] * 2,
    "numbers": [{"class": 7, "probabilities": {"5": 0.2, "7": 0.8}}],
}


def answered(task, outputs=None, binary=False):
    said = {"view": "v:v1", "model": {"name": "m", "version": 3}, "as_of_us": 5, "predictions": OF_TASK[task],
            "degraded": False, "receipt": {"digest": "", "shards": []}}  # fmt: skip
    return write_infer_answer("v", InferRequest("", b"", outputs or {}, binary), json.dumps(said).encode())


@pytest.mark.parametrize(
    ("task", "expected"),
    [
        ("threshold", [("score", "FP64", [2], [0.1, 1 / 3]), ("decision", "BOOL", [2], [False, True])]),
        ("regression", [("value", "FP64", [1], [-2.5])]),
        ("names", [("class", "BYTES", [2], ["late", "late"]), ("probabilities", "FP64", [2, 2], [0.2, 0.8] * 2)]),
        ("numbers", [("class", "INT64", [1], [7]), ("probabilities", "FP64", [1, 2], [0.2, 0.8])]),
    ],
)
def test_each_member_of_a_prediction_is_a_tensor(task, expected):
    headers, body = answered(task)
    told = json.loads(body)
    assert [tuple(each[key] for key in ("name", "datatype", "shape", "data")) for each in told["outputs"]] == expected
    assert headers == [(b"content-type", b"application/json")]
    assert ("classes" in told["parameters"]) == (task in ("names", "numbers"))
    assert "id" not in told


def test_as_bytes_they_follow_the_json_in_their_order():
    headers, body = answered("threshold", {"decision": True, "score": True})
    length = int(dict(headers)[b"inference-header-content-length"])
    told = json.loads(body[:length])
    assert [(each["name"], each["parameters"]) for each in told["outputs"]] == [
        ("decision", {"binary_data_size": 2}),
        ("score", {"binary_data_size": 16}),
    ]
    assert body[length:] == b"\0\1" + struct.pack("<2d", 0.1, 1 / 3)


def test_an_output_that_the_model_lacks_is_refused():
    with pytest.raises(InvalidRequestError, match="The model has no output 'score'"):
        answered("regression", {"score": False})
