"""The mark of an audit of scores says offsets, and a file that does not is refused by its name."""

from __future__ import annotations

import pytest

from shared_features.errors import FormatVersionError
from shared_features.formats.score_audit_mark import (
    ScoreAuditMark,
    decode_score_audit_mark,
    encode_score_audit_mark,
    score_audit_mark_file,
)

MARK = ScoreAuditMark(topic="order_scores", scores={0: 2_400, 11: 3}, events={0: 2_399})
GOLDEN = (
    b'{\n  "events": {\n    "0": 2399\n  },\n  "schema_version": 1,\n  "scores": {\n    "0": 2400,\n    "11": 3\n  },\n'
    b'  "topic": "order_scores"\n}\n'
)


def test_its_bytes_stay_as_they_are() -> None:
    assert encode_score_audit_mark(MARK) == GOLDEN
    assert decode_score_audit_mark(GOLDEN, "orders.json") == MARK
    assert score_audit_mark_file("orders") == "audited_scores/orders.json"


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"{", "orders.json is not an audit mark of scores"),
        (GOLDEN.replace(b"1,", b"2,"), "orders.json was written by schema 2"),
        (GOLDEN.replace(b'"0": 2399', b'"first": 2399'), "orders.json is damaged: .* Remove the file, and run"),
        (GOLDEN.replace(b"2400", b'"all"'), "orders.json is damaged"),
    ],
)
def test_another_file_is_refused_with_what_to_do(content: bytes, said: str) -> None:
    with pytest.raises(FormatVersionError, match=said):
        decode_score_audit_mark(content, "orders.json")
