"""Tensors as bytes: what is written is read again, and nothing else is."""

import math
import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from serving.endpoints.inference.tensors import DATATYPES, decode_tensor, encode_tensor, json_texts


@given(st.lists(st.text(max_size=5), max_size=5))
def test_texts_come_back(texts):
    raw = encode_tensor("BYTES", texts)
    assert decode_tensor("BYTES", raw, len(texts)) == texts


@pytest.mark.parametrize("datatype", [each for each in DATATYPES if each not in ("BYTES", "BOOL")])
def test_numbers_come_back(datatype):
    values = [0, 1, 100] if "INT" in datatype else [0.5, -1.0, 100.0, math.inf]
    assert decode_tensor(datatype, encode_tensor(datatype, values), len(values)) == values


@given(st.lists(st.floats(width=32, allow_nan=False, allow_infinity=False), min_size=1, max_size=5))
def test_a_float_of_32_bits_is_the_shortest_text_that_gives_it_back(values):
    read = decode_tensor("FP32", struct.pack(f"<{len(values)}f", *values), len(values))
    assert np.array(read, np.float32).tolist() == values
    assert [float(each) for each in json_texts("FP32", values)] == read  # as bytes and as JSON alike
    assert decode_tensor("FP32", struct.pack("<f", 71.35), 1) == [71.35]


def test_what_is_not_a_number_is_missing():
    assert json_texts("FP64", [math.nan, 1.5, None]) == [b"null", b"1.5", b"null"]
    assert json_texts("FP32", decode_tensor("FP32", struct.pack("<f", math.nan), 1)) == [b"null"]


@pytest.mark.parametrize(("datatype", "value"), [("FP64", math.inf), ("FP64", -math.inf), ("FP32", 1e300)])
def test_infinity_is_not_missing(datatype, value):
    with pytest.raises(ValueError, match="an infinite number"):
        json_texts(datatype, [value])


@pytest.mark.parametrize(
    ("datatype", "raw", "count"),
    [("INT64", b"1234567", 1), ("BOOL", b"\2", 1), ("BYTES", b"\1\0\0", 1), ("BYTES", b"\1\0\0\0", 1),
     ("BYTES", b"\0\0\0\0x", 1), ("BYTES", b"", 1 << 40), ("BYTES", b"\1\0\0\0\xff", 1)],
)  # fmt: skip
def test_bytes_that_do_not_fit_are_an_error_at_once(datatype, raw, count):
    with pytest.raises(ValueError):  # noqa: PT011  # the words are tested where they are told
        decode_tensor(datatype, raw, count)
