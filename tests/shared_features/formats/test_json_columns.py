"""What compiled loops read of JSON is what a parser reads; of what they do not know they say nothing."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared_features.formats.json_columns import float_lists, floats, integers, values_of_objects
from shared_features.formats.logged_columns import as_texts

KEYS = "a", "amount"
FLOATS = st.floats(allow_nan=False, allow_infinity=False) | st.integers(-(10**6), 10**6).map(lambda each: each / 100)
FLOAT32 = st.floats(allow_nan=False, allow_infinity=False, width=32) | st.floats(0, 1, width=32)
SCALARS = st.none() | st.booleans() | st.integers() | FLOATS | st.text()
OBJECTS = st.dictionaries(st.sampled_from([*KEYS, "b", "é", "amount2"]), SCALARS, min_size=1)
BODIES = st.lists(OBJECTS, min_size=1, max_size=3)
SPACES = st.sampled_from([(",", ":"), (", ", ": "), (" ,\n", "\t: ")])


def body(objects: list[dict[str, Any]], separators: tuple[str, str], beside: dict[str, Any]) -> bytes:
    return json.dumps({"instances": objects} | beside, separators=separators, ensure_ascii=False).encode()


@given(st.lists(BODIES, max_size=4), SPACES, st.dictionaries(st.sampled_from(["x", "instance"]), SCALARS))
def test_values_of_objects_are_those_that_a_parser_finds(
    bodies: list[list[dict[str, Any]]], separators: tuple[str, str], beside: dict[str, Any]
) -> None:
    found = values_of_objects(as_texts([body(each, separators, beside) for each in bodies]), "instances", KEYS)
    assert found is not None
    values, counts = found
    assert counts.tolist() == list(map(len, bodies))
    objects = [each for objects in bodies for each in objects]
    for key, theirs in zip(KEYS, values, strict=True):
        assert list(map(json.loads, theirs.texts())) == [each.get(key) for each in objects]
        assert theirs.there.tolist() == [each.get(key) is not None for each in objects]


@pytest.mark.parametrize(
    "text",
    [
        "", "{", "{}", "[]", '{"instances":[]}', '{"instances":{}}', '{"instances":[{}]}', '{"instances":[{"a":1}]',
        '{"instances":[{"a":1}]}}', '{"instances":[{"a":1}]}{"instances":[{"a":1}]}', '{"instances":[{"a":1,}]}',
        '{"instances":[{"a":1},]}', '{"instances":[{"a":1,"a":2}]}', '{"instances":[{"a":[1]}]}', '{"x":1}',
        '{"instances":[{"a":1}],"instances":[{"a":2}]}', '{"instances":[{"\\u0061":1}]}', '{"instances":[{"a":01}]}',
        '{"instances":[{"a":1.}]}', '{"instances":[{"a":1e}]}', '{"instances":[{"a":-}]}', '{"instances":[{"a":nul}]}',
        '{"instances":[{"a":"\n"}]}', '{"instances":[{"a":"b}]}', '{"instances":[{"a" 1}]}', '{"instances":[{"a":+1}]}',
        '{"instances":[{"a":1} {"a":1}]}', '{"instances":[{a:1}]}', '{"instances":[{"a":NaN}]}', '{"instances":null}',
    ],
)  # fmt: skip
def test_of_a_body_that_is_spelled_otherwise_nothing_is_said(text: str) -> None:
    good = b'{"instances":[{"a":1}]}'
    assert values_of_objects(as_texts([good, good]), "instances", KEYS) is not None
    assert values_of_objects(as_texts([good, text.encode(), good]), "instances", KEYS) is None


def numbers_of(texts: list[str]) -> Any:
    bodies = [f'{{"instances":[{{"amount":{text}}}]}}'.encode() for text in texts]
    found = values_of_objects(as_texts(bodies), "instances", KEYS)
    assert found is not None
    return found[0][1]


@given(st.lists(FLOATS | st.integers(-(2**53), 2**53), min_size=1, max_size=5))
def test_a_number_has_the_bits_that_a_parser_gives_it_or_none_at_all(numbers: list[float]) -> None:
    values = numbers_of(list(map(json.dumps, numbers)))
    found = floats(values)
    if found is not None:
        assert found.tobytes() == np.array(numbers, np.float64).tobytes()
    if all(round(each, 2) == each and abs(each) < 10**6 for each in numbers):
        assert found is not None  # amounts are plain


@pytest.mark.parametrize(
    "text", ["-0.0", "0e5", "1E2", "1.50", "123456789.125e-3", "9007199254740992", "1e22", "1e-22"]
)
def test_a_number_may_be_spelled_in_any_way(text: str) -> None:
    found = floats(numbers_of([text, "1"]))
    assert found is not None
    assert found.tobytes() == np.array([float(text), 1.0]).tobytes()


@given(st.lists(st.integers(-(10**18) + 1, 10**18 - 1) | st.none(), min_size=1, max_size=5))
def test_whole_numbers_are_those_of_json_and_null_is_0(numbers: list[int | None]) -> None:
    found = integers(numbers_of(list(map(json.dumps, numbers))))
    assert found is not None
    assert found.tolist() == [each or 0 for each in numbers]


@pytest.mark.parametrize("text", ["1.0", "1e3", '"1"', "true", str(10**18), str(2**64)])
def test_what_is_no_plain_whole_number_is_not_read_as_one(text: str) -> None:
    assert integers(numbers_of([text])) is None


@pytest.mark.parametrize("text", ['"1"', "true", "9007199254740993", "1e23", "1e-23", "12345678901234567890123"])
def test_what_a_float_cannot_be_told_of_is_not_read_as_one(text: str) -> None:
    assert floats(numbers_of([text])) is None


@given(st.lists(st.lists(FLOAT32, min_size=1, max_size=3), max_size=4), st.booleans())
def test_scores_have_the_bits_that_a_parser_gives_them_or_none_at_all(lists: list[list[float]], spaced: bool) -> None:
    texts = [msgspec.json.encode(each).replace(b",", b" , " if spaced else b",") for each in lists]
    found = float_lists(as_texts(texts))
    numbers = [each for some in lists for each in some]
    if all(each == 0 or 1e-20 < abs(each) < 1e20 for each in numbers):
        assert found is not None  # scores are plain
    if found is not None:
        assert found[0].tobytes() == np.array(numbers, np.float32).tobytes()
        assert found[1].tolist() == list(map(len, lists))


def test_a_score_in_the_middle_of_two_float32_is_left_to_a_parser() -> None:
    middle = 1.0 + 2.0**-24
    assert float_lists(as_texts([f"[{middle!r}]".encode()])) is None
    above = float_lists(as_texts([f"[{middle + 2.0**-40!r}]".encode()]))
    assert above is not None
    assert above[0].tolist() == [1.0 + 2.0**-23]


@pytest.mark.parametrize("text", ["", "[", "[]", "[null]", "[[0.5]]", "[0.5", "[0.5,]", "[0.5]]", '["a"]', "[NaN]"])
def test_scores_that_are_no_plain_numbers_are_left_to_a_parser(text: str) -> None:
    assert float_lists(as_texts([b"[0.5]", text.encode()])) is None
