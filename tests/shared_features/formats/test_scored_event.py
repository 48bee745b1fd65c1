"""The records of scores: what they say, and the bytes that they stay readable by."""

import msgspec
import pytest

from shared_features.errors import FormatVersionError
from shared_features.formats.receipt import Receipt
from shared_features.formats.scored_event import (
    Outcome,
    ScoredEvent,
    decode_scored_event,
    encode_scored_event,
    outcome_of,
)

SCORED = ScoredEvent(
    id="r1",
    entities={"machine": "north|press"},
    as_of_us=1,
    score=0.1,
    decision=False,
    view="breakdown:v1",
    view_fingerprint="f",
    model="breakdown",
    model_version=2,
    model_digest="d",
    topic="readings",
    topic_id="t",
    partition=3,
    offset=4,
    scored_at_us=5,
    features="AAA=",
    receipt=Receipt("r", ()),
)
GOLDEN = (
    b'{"id":"r1","entities":{"machine":"north|press"},"as_of_us":1,"score":0.1,"decision":false,"view":"breakdown:v1",'
    b'"view_fingerprint":"f","model":"breakdown","model_version":2,"model_digest":"d","topic":"readings",'
    b'"topic_id":"t","partition":3,"offset":4,"scored_at_us":5,"features":"AAA=",'
    b'"receipt":{"digest":"r","shards":[]},"schema_version":1}'
)


def test_the_bytes_of_a_record_stay_what_they_are() -> None:
    assert encode_scored_event(SCORED) == GOLDEN
    assert encode_scored_event(decode_scored_event(GOLDEN)) == GOLDEN


@pytest.mark.parametrize("content", [b"", b"{}", b"\xff", GOLDEN.replace(b'version":1}', b'version":2}')])
def test_what_is_no_record_of_this_schema_is_refused(content: bytes) -> None:
    with pytest.raises(FormatVersionError):
        decode_scored_event(content)


@pytest.mark.parametrize(
    ("task", "classes", "threshold", "given", "said"),
    [
        ("binary", (), None, 0.5, Outcome(score=0.5)),
        ("binary", (), 0.5, 0.5, Outcome(score=0.5, decision=True)),
        ("regression", (), None, -2.5, Outcome(value=-2.5)),
        (
            "multiclass",
            ("a", 7),
            None,
            [0.5, 0.5],
            Outcome(class_="a", probabilities={"a": 0.5, "7": 0.5}),
        ),
    ],
)
def test_what_a_model_says_stands_under_the_names_of_an_answer(
    task: str, classes: tuple[str | int, ...], threshold: float | None, given: object, said: Outcome
) -> None:
    assert outcome_of(task, classes, threshold, given) == said
    assert msgspec.json.encode(said)
