"""The records of scores: what they say, and the bytes that they stay readable by."""

import msgspec
import pytest

from shared_features.errors import FormatVersionError
from shared_features.formats.receipt import Receipt
from shared_features.formats.scored_event import (
    Outcome,
    ScoredEvent,
    decode_as_written,
    decode_scored_event,
    encode_scored_event,
    is_altered_line,
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
    release="0.1.0",
)
WITHOUT_DIGEST = (
    b'{"id":"r1","entities":{"machine":"north|press"},"as_of_us":1,"score":0.1,"decision":false,"view":"breakdown:v1",'
    b'"view_fingerprint":"f","model":"breakdown","model_version":2,"model_digest":"d","topic":"readings",'
    b'"topic_id":"t","partition":3,"offset":4,"scored_at_us":5,"features":"AAA=",'
    b'"receipt":{"digest":"r","shards":[]},"schema_version":1}'
)


GOLDEN = (
    WITHOUT_DIGEST[:-1]
    + b',"release":"0.1.0","digest":"6e0fddd91a61495907af9bc2d617f9a9ae7058330e05c007479a1d58b228907f"}'
)


def test_the_bytes_of_a_record_stay_what_they_are() -> None:
    assert encode_scored_event(SCORED) == GOLDEN
    assert encode_scored_event(decode_scored_event(GOLDEN)) == GOLDEN


def test_a_record_of_a_release_that_wrote_no_digest_is_read() -> None:
    old = decode_scored_event(WITHOUT_DIGEST)
    assert old == msgspec.structs.replace(decode_scored_event(GOLDEN), release="", digest="")
    assert decode_as_written(WITHOUT_DIGEST).receipt == msgspec.Raw(b'{"digest":"r","shards":[]}')


@pytest.mark.parametrize(
    ("was", "becomes"),
    [(b"0.1,", b"0.2,"), (b'"score":', b'"score": '), (b'"}', b'" }'), (b'est":"r"', b'est":"s"'), (b"{", b" {")],
)
def test_each_altered_byte_of_a_line_is_found(was: bytes, becomes: bytes) -> None:
    assert not is_altered_line(GOLDEN)
    assert was in GOLDEN
    assert is_altered_line(GOLDEN.replace(was, becomes))


def test_a_digest_that_was_altered_is_found_and_a_line_of_another_schema_is_decoded() -> None:
    last = GOLDEN[-3:-2]
    assert is_altered_line(GOLDEN[:-3] + (b"0" if last != b"0" else b"1") + GOLDEN[-2:])
    assert is_altered_line(b"")
    assert decode_as_written(GOLDEN.replace(b'schema_version":1', b'schema_version":2')).schema_version == 2
    for damaged in (b"{}", b'{"later":' + b"[" * 100_000):
        with pytest.raises(FormatVersionError, match="cannot be read"):
            decode_as_written(damaged)


@pytest.mark.parametrize("name", ["offset", "partition", "as_of_us", "scored_at_us"])
def test_a_number_that_has_no_room_in_64_bits_is_no_score(name: str) -> None:
    """It ended the audit of its topic, each time, until Kafka deleted the record."""
    plain = msgspec.json.decode(GOLDEN) | {name: 2**63}
    with pytest.raises(FormatVersionError, match="cannot be read"):
        decode_as_written(msgspec.json.encode(plain))


@pytest.mark.parametrize(
    "content",
    [b"", b"{}", b"\xff", GOLDEN.replace(b'schema_version":1', b'schema_version":2'), b'{"later":' + b"[" * 100_000],
    ids=["nothing", "empty", "no text", "later", "deep"],
)
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
