"""The prediction log: what is written is read again, bit for bit, as bytes and as a row of the archive."""

import msgspec
import numpy as np
import pytest

from shared_features.errors import FormatVersionError
from shared_features.formats.prediction_log import (
    LoggedPrediction,
    decode_matrix,
    decode_record,
    each_once,
    encode_matrix,
    encode_numbers,
    encode_record,
    is_altered,
    logged_prediction,
    missing_counters,
    prediction_source,
)

LOGGED = LoggedPrediction(
    id="a-0",
    at_us=1_767_225_600_000_001,
    instance="a",
    counter=0,
    view="breakdown:v1",
    view_fingerprint="0123456789abcdef",
    model="breakdown",
    model_version=3,
    model_digest="ff",
    as_of_us=1_767_225_600_000_000,
    instants="[1767225600000000]",
    request='{"instances":[{"plant":"n\u00f6rd"}]}',
    features="AACAPw==",
    scores="[0.25]",
    receipt='{"digest":"","shards":[]}',
    degraded=False,
    latency_us=1_234,
    caller="10.0.0.1",
    release="0.1.0",
    digest="14c42c93b9262eb0f67e49f48fa2a09dc6e3300113676cc10cd46f5982b746d6",
)
GOLDEN = (
    '{"id":"a-0","at_us":1767225600000001,"instance":"a","counter":0,"view":"breakdown:v1","view_fingerprint":'
    '"0123456789abcdef","model":"breakdown","model_version":3,"model_digest":"ff","as_of_us":1767225600000000,"instants":'
    '"[1767225600000000]","request":"{\\"instances\\":[{\\"plant\\":\\"n\u00f6rd\\"}]}","features":"AACAPw==","scores":"[0.25]","receipt":'
    '"{\\"digest\\":\\"\\",\\"shards\\":[]}","degraded":false,"latency_us":1234,"caller":"10.0.0.1","release":"0.1.0",'
    '"schema_version":1,"digest":"14c42c93b9262eb0f67e49f48fa2a09dc6e3300113676cc10cd46f5982b746d6"}'
)


def test_the_bytes_are_these():
    assert encode_record(LOGGED).decode() == GOLDEN
    assert decode_record(GOLDEN.encode()) == LOGGED
    assert b"\n" not in encode_record(msgspec.structs.replace(LOGGED, request="a\nb"))  # the spool holds lines


def test_its_source_has_the_fields_of_a_record_in_their_order():
    source = prediction_source("predictions")
    assert [field.name for field in source.fields] == list(LoggedPrediction.__struct_fields__)
    assert (source.event_id, source.event_time, source.topic) == ("id", "at_us", "predictions")


def test_whatever_is_altered_in_a_record_is_found():
    assert not is_altered(LOGGED)
    for name, value in msgspec.structs.asdict(LOGGED).items():
        other = f"{value}x" if isinstance(value, str) else value + 1
        assert is_altered(msgspec.structs.replace(LOGGED, **{name: other})), name


def test_a_row_of_the_archive_is_the_same_record():
    row = msgspec.structs.asdict(LOGGED) | {"kafka_offset": 7}
    assert logged_prediction(row) == LOGGED
    del row["receipt"]
    with pytest.raises(FormatVersionError, match="no column receipt"):
        logged_prediction(row)


@pytest.mark.parametrize(
    "content",
    [b"", b"{}", GOLDEN.replace('"counter":0', '"counter":"0"').encode(), b'{"later":' + b"[" * 100_000],
    ids=["nothing", "empty", "a text", "deep"],
)
def test_a_damaged_record_is_refused(content):
    with pytest.raises(FormatVersionError, match="cannot be read"):
        decode_record(content)


def test_a_record_of_a_later_schema_is_refused():
    with pytest.raises(FormatVersionError, match="written by schema 2, this reader knows 1"):
        decode_record(GOLDEN.replace('"schema_version":1', '"schema_version":2').encode())


def test_every_bit_of_the_features_is_kept():
    bits = np.array([0x7FC00001, 0xFFC00000, 0x80000000, 0x00000001, 0x7F800000, 0x3F800000], np.uint32)
    matrix = bits.view(np.float32).reshape(2, 3)
    assert decode_matrix(encode_matrix(matrix), 3).tobytes() == matrix.tobytes()
    assert decode_matrix(encode_matrix(matrix[:, ::2]), 2).tobytes() == np.ascontiguousarray(matrix[:, ::2]).tobytes()


@pytest.mark.parametrize("text", ["AACAPw==", "AACA", "not base64"])
def test_features_that_are_no_rows_are_refused(text):
    with pytest.raises(FormatVersionError, match="cannot be cut into rows of 2 numbers"):
        decode_matrix(text, 2)


def test_a_score_comes_back_as_the_same_float32():
    scores = np.random.default_rng(1).normal(size=100).astype(np.float32)
    assert np.array(msgspec.json.decode(encode_numbers(scores.tolist())), np.float32).tobytes() == scores.tobytes()


def test_a_second_copy_is_dropped_and_a_hole_is_found():
    def record(instance, counter):
        return msgspec.structs.replace(LOGGED, id=f"{instance}-{counter}", instance=instance, counter=counter)

    logged = [record("a", 0), record("b", 1), record("a", 3), record("a", 0), record("a", 1), record("b", 0)]
    once = each_once(logged)
    assert [each.id for each in once] == ["a-0", "b-1", "a-3", "a-1", "b-0"]
    assert missing_counters(once) == {"a": [(2, 2)]}
