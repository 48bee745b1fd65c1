"""A request by GET says the same as one by POST."""

import json

import pytest

from serving.errors import InvalidRequestError
from serving.request.query_body import query_body
from shared_features.definitions import Boolean, Decimal, Field, Integer, Text, Timestamp

FIELDS = [
    Field("customer", Integer()),
    Field("plan", Text()),
    Field("amount", Decimal(decimals=2, low=0, high=1000)),
    Field("is_new", Boolean()),
    Field("at", Timestamp("rfc3339")),
]


@pytest.mark.parametrize(
    ("query", "instance"),
    [
        (b"customer=17", {"customer": 17}),
        (b"plan=17", {"plan": "17"}),
        (b"plan=null&amount=null", {"plan": "null", "amount": None}),
        (b"plan=a%26b%3Dc%20d%C3%A9", {"plan": "a&b=c d\u00e9"}),
        (b"plan=", {"plan": ""}),
        (b"amount=12.50&is_new=true", {"amount": 12.5, "is_new": True}),
        (b"at=2026-01-01T00:00:00Z", {"at": "2026-01-01T00:00:00Z"}),
        (b"amount=%22x%22&customer=[1]", {"amount": '"x"', "customer": "[1]"}),
        (b"other=1", {"other": 1}),
        (b"", {}),
    ],
)
def test_each_value_has_the_type_of_its_field(query, instance):
    assert json.loads(query_body(query, FIELDS)) == {"instances": [instance]}


def test_as_of_is_the_instant_unless_it_is_a_field():
    assert json.loads(query_body(b"as_of=5&customer=1", FIELDS)) == {"instances": [{"customer": 1}], "as_of": 5}
    own = [*FIELDS, Field("as_of", Text())]
    assert json.loads(query_body(b"as_of=5", own)) == {"instances": [{"as_of": "5"}]}


@pytest.mark.parametrize("query", [b"customer=1&customer=2", b"as_of=1&as_of=2"])
def test_what_is_named_twice_is_refused(query):
    with pytest.raises(InvalidRequestError, match=r"twice\. A request by GET is for one instance\. Send"):
        query_body(query, FIELDS)


@pytest.mark.parametrize("query", [b"customer", b"plan=%ff", b"\xff=1", b"&"])
def test_what_is_no_query_is_refused(query):
    with pytest.raises(InvalidRequestError, match="name=value"):
        query_body(query, FIELDS)
