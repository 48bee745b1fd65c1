"""The text of a number is rounded once, half to even: as Python's decimal module has it, in an event and a request."""

import decimal
import json
from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from serving.request.request_body import RequestBody
from shared_features.definitions import Decimal, EventSource, FeatureView, Field, Text, Timestamp
from shared_features.kernel.feature_spec import MAX_VALUE
from streaming.kafka.decoders.registry import decoder_of
from streaming.kafka.decoders.struct_decoder import StructDecoder, reason
from tests.depth import searched

SEEN_ROUNDED_TWICE = [
    (Decimal(2, -45e12, 45e12), "41531670457083.59", 4153167045708359),
    (Decimal(9, 0, 4_500_000), "4353339.386355275", 4353339386355275),
    (Decimal(2, 0, 100), "0.575", 58),
    (Decimal(2, 0, 100), "1.005", 100),
    (Decimal(2, 0, 100), "1.015", 102),
    (Decimal(2, -100, 100), "-0.575", -58),
    (Decimal(0, -100, 100), "-2.5", -2),
    (Decimal(2, 0, 100), "0.57499999999999999999999999", 57),  # the float64 of it is that of 0.575
    (Decimal(2, 0, 100), "0.5750000000000000000000000000000000000000000001", 58),
    (Decimal(2, 0, 100), "5.65e-1", 56),
    (Decimal(0, -4.5e15, 4.5e15), "4499999999999998.5", 4499999999999998),
]
TYPES = [
    Decimal(2, -45e12, 45e12),
    Decimal(9, -4_500_000, 4_500_000),
    Decimal(2, -1e6, 1e6),
    Decimal(0, -4.5e15, 4.5e15),
]


def source(kind: Decimal, **options: Any) -> EventSource:
    fields = (
        Field("id", Text()),
        Field("at", Timestamp()),
        Field("class", kind),  # a keyword of Python
        Field("maybe", kind, optional=True),
    )
    return EventSource("payments", "payments", fields, event_id="id", event_time="at", **options)


def of_events(kind: Decimal, texts: list[str]) -> list[int]:
    """Each text in a record of its own, after a record that is no event."""
    values = [f'{{"id": "a", "at": 1, "class": {text}, "maybe": {text}}}'.encode() for text in texts]
    decoded = decoder_of(source(kind)).decode([b"{}", *values])
    assert decoded.rows.tolist() == list(range(1, len(texts) + 1))
    assert decoded.columns["class"].tolist() == decoded.columns["maybe"].tolist()
    steps: list[int] = decoded.columns["class"].tolist()
    return steps


def of_requests(kind: Decimal, texts: list[str]) -> list[int]:
    body = RequestBody(FeatureView("v", 1, source(kind), ("class", "maybe")), max_instances=1000)
    instances = ", ".join(f'{{"maybe": {text}, "class": {text}}}' for text in texts)
    columns = body.columns(body.decode(f'{{"instances": [{instances}]}}'.encode()).instances).columns
    assert columns["class"].tolist() == columns["maybe"].tolist()
    steps: list[int] = columns["class"].tolist()
    return steps


def rounded(kind: Decimal, text: str) -> int:
    with decimal.localcontext(prec=2000) as context:
        context.rounding = decimal.ROUND_HALF_EVEN
        return int(decimal.Decimal(text).scaleb(kind.decimals).to_integral_value())


@pytest.mark.parametrize(("kind", "text", "steps"), SEEN_ROUNDED_TWICE)
def test_a_value_that_was_rounded_twice(kind: Decimal, text: str, steps: int) -> None:
    assert of_events(kind, [text]) == [steps]
    assert of_requests(kind, [text]) == [steps]
    assert rounded(kind, text) == steps


@st.composite
def typed_texts(draw: st.DrawFn) -> tuple[Decimal, list[str]]:
    """Texts of numbers within the bounds of a type: near the middle of two steps, of many digits, with exponents."""
    kind = draw(st.sampled_from(TYPES))
    most = int(min(kind.high * 10**kind.decimals, MAX_VALUE)) - 1
    whole = st.one_of(st.integers(-most, most), st.integers(-10_000, 10_000))
    tails = st.one_of(
        st.sampled_from(["", "5", "50", "49999999999999999999", "5000000000000000000000000001", "4" * 400]),
        st.text("0123456789", max_size=25),
    )
    texts = []
    for steps, tail, written in draw(st.lists(st.tuples(whole, tails, st.integers(0, 2)), min_size=1, max_size=8)):
        with decimal.localcontext(prec=2000):
            number = decimal.Decimal(f"{steps}.{tail}" if tail else steps).scaleb(-kind.decimals)
            texts.append(f"{number:e}" if written == 0 else f"{number:f}")
    return kind, texts


@settings(max_examples=searched(quick=80, deep=300), deadline=None)
@given(typed_texts())
@example((Decimal(2, -1e6, 1e6), ["1e-400", "0e5", "-0.0", "-0.005", "0.005", "100000.00"]))
def test_any_text_is_rounded_as_the_decimal_module_rounds_it(drawn: tuple[Decimal, list[str]]) -> None:
    kind, texts = drawn
    right = [rounded(kind, text) for text in texts]
    assert of_events(kind, texts) == right
    assert of_requests(kind, texts) == right


@settings(max_examples=searched(quick=80, deep=200), deadline=None)
@given(typed_texts())
def test_a_float_of_another_format_stands_for_its_shortest_text(drawn: tuple[Decimal, list[str]]) -> None:
    kind, floats = drawn[0], [float(text) for text in drawn[1]]
    right = [rounded(kind, repr(value)) for value in floats]
    values = [msgspec.msgpack.encode({"id": "a", "at": 1, "class": value}) for value in floats]
    assert decoder_of(source(kind, format="messagepack")).decode(values).columns["class"].tolist() == right
    assert Field("class", kind).column(iter(floats), len(floats)).steps.tolist() == right
    assert Field("class", kind).column(list(np.array(floats)), len(floats)).steps.tolist() == right


def test_a_decoder_of_ones_own_hands_in_texts_or_floats() -> None:
    """A typed decoder that converts texts keeps their digits; one that makes floats cannot."""

    def of_texts(event: type) -> Any:
        return lambda value: msgspec.convert(json.loads(value), event, strict=False)

    def of_floats(event: type) -> Any:
        return lambda value: event(**{f"f{at}": each for at, each in enumerate(json.loads(value).values())})

    orders = source(Decimal(2, 0, 100))
    values = ['{"id": "a", "at": 1, "class": "0.57499999999999999999999"}', '{"id": "a", "at": 1, "class": "0.575"}']
    texts = StructDecoder(orders, of_texts, lambda value, error: reason(value, error, "texts"))
    assert texts.decode([each.encode() for each in values]).columns["class"].tolist() == [57, 58]
    floats = StructDecoder(orders, of_floats, lambda value, error: reason(value, error, "floats"))
    assert floats.decode([b'{"id": "a", "at": 1, "class": 0.575}']).columns["class"].tolist() == [58]


def test_few_values_are_decoded_twice() -> None:
    """The exact path is slow: values with the declared decimals and of everyday size never take it."""
    kind = Decimal(2, 0, 1_000_000)
    assert not kind.unsure([cents / 100 for cents in range(0, 100_000_000, 997)])
    assert kind.unsure([0.575, None, 1.0, 1.005]) == [0, 3]
