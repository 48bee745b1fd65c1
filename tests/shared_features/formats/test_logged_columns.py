"""Columns of the prediction log say in bulk what `prediction_log` says of one record after another."""

from __future__ import annotations

from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from shared_features.errors import FormatVersionError
from shared_features.formats.logged_columns import (
    Column,
    Shared,
    as_texts,
    float_rows,
    integer_lists,
    record_digests,
)
from shared_features.formats.prediction_log import (
    LoggedPrediction,
    decode_matrix,
    decode_record,
    encode_matrix,
    encode_numbers,
    encode_record,
)
from tests.shared_features.formats.test_prediction_log import LOGGED

SHARED = {"instance", "view", "model", "receipt", "caller"}
TEXTS = st.text(st.characters(exclude_categories=["Cs"]) | st.sampled_from('"\\\n\t\x00\x08\x0b\x1f\x7fé€𝄞'))
INTEGERS = st.integers(-(2**63), 2**63 - 1) | st.sampled_from([0, -1, 9, 10, -(2**63), 2**63 - 1])
KINDS: dict[str, st.SearchStrategy[Any]] = {"str": TEXTS, "int": INTEGERS, "bool": st.booleans()}
RECORDS = st.fixed_dictionaries({name: KINDS[kind] for name, kind in LoggedPrediction.__annotations__.items()})


def columns(records: list[LoggedPrediction]) -> dict[str, Column]:
    found: dict[str, Column] = {}
    for name, kind in LoggedPrediction.__annotations__.items():
        values = [getattr(each, name) for each in records]
        if kind == "int":
            found[name] = np.array(values, np.int64)
        elif kind == "bool":
            found[name] = np.array(values, np.bool_)
        elif name in SHARED:
            texts = list(dict.fromkeys(values))
            found[name] = Shared(texts, np.array(list(map(texts.index, values)), np.int64))
        else:
            found[name] = as_texts([each.encode() for each in values])
    return found


def hexadecimal(digests: NDArray[np.uint8]) -> list[str]:
    return [each.tobytes().decode() for each in digests]


@given(st.lists(RECORDS, max_size=4))
def test_digests_of_columns_are_those_of_the_records_whatever_characters_they_have(rows: list[dict[str, Any]]) -> None:
    records = [LoggedPrediction(**each) for each in rows]
    wanted = [decode_record(encode_record(msgspec.structs.replace(each, schema_version=1))).digest for each in records]
    given = columns([msgspec.structs.replace(each, schema_version=1) for each in records])
    assert hexadecimal(record_digests(given, len(records))) == wanted


def test_a_record_that_is_altered_has_another_digest() -> None:
    written = decode_record(encode_record(LOGGED))
    altered = msgspec.structs.replace(written, scores="[0.5]")
    found = hexadecimal(record_digests(columns([written, altered]), 2))
    assert found[0] == written.digest
    assert found[1] != written.digest


@given(st.lists(st.integers(0, 3), max_size=5), st.integers(1, 7), st.randoms(use_true_random=False))
def test_features_of_many_records_are_those_of_each(counts: list[int], wide: int, random: Any) -> None:
    bits = [np.array([[random.getrandbits(32) for _ in range(wide)] for _ in range(n)], np.uint32) for n in counts]
    matrices = [each.reshape(-1, wide).view(np.float32) for each in bits]
    texts = [encode_matrix(each) for each in matrices]
    rows, found = float_rows(as_texts([each.encode() for each in texts]), wide)
    assert found.tolist() == counts
    wanted = np.concatenate([np.empty((0, wide), np.float32), *(decode_matrix(each, wide) for each in texts)])
    assert rows.view(np.uint32).tolist() == wanted.view(np.uint32).tolist()


@pytest.mark.parametrize(
    "text", ["!", "AAA", "AAAA", "AACAP!==", "=ACAPw==", "AACAPw=", "AAC=Pw==", "AACAPw==AACAPw==", "é"]
)
def test_features_that_are_no_rows_of_numbers_are_refused(text: str) -> None:
    good = encode_matrix(np.ones((1, 1), np.float32))
    with pytest.raises(FormatVersionError):
        float_rows(as_texts([good.encode(), text.encode(), good.encode()]), 1)


@given(st.lists(st.lists(INTEGERS, max_size=3), max_size=5), st.booleans())
def test_lists_of_numbers_are_those_of_json_however_they_are_spelled(lists: list[list[int]], spaced: bool) -> None:
    texts = [encode_numbers(each).replace(",", " , " if spaced else ",").encode() for each in lists]
    numbers, counts = integer_lists(as_texts(texts))
    assert numbers.tolist() == [number for each in lists for number in each]
    assert counts.tolist() == list(map(len, lists))


@pytest.mark.parametrize(
    "text",
    ["", "[", "]", "[1", "1]", "[1,]", "[,1]", "[-]", "[01]", "[1.5]", "[1]2]", '["1"]', "[9999999999999999999]"],
)
def test_what_is_no_list_of_numbers_is_refused(text: str) -> None:
    with pytest.raises(FormatVersionError):
        integer_lists(as_texts([b"[1]", text.encode()]))


def test_texts_are_compared_whole_and_looked_at_at_both_ends() -> None:
    texts = as_texts([b"[ab]", b"[b]", b"[ac]"])
    assert texts.are(np.frombuffer(b"[ab][ab][ab]", np.uint8).reshape(3, 4)).tolist() == [True, False, False]
    assert texts.begin_and_end("[", "]")
    assert not as_texts([b"[]", b"["]).begin_and_end("[", "]")
    assert not as_texts([b"[]", b" []"]).begin_and_end("[", "]")
