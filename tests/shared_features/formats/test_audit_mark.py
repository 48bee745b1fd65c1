"""The mark of an audit says one instant, and a file that does not is refused by its name."""

from __future__ import annotations

import pytest

from shared_features.errors import FormatVersionError
from shared_features.formats.audit_mark import decode_mark, encode_mark

UNTIL_US = 1_772_323_200_000_001
GOLDEN = b'{\n  "schema_version": 1,\n  "until": "2026-03-01T00:00:00.000001Z"\n}\n'


def test_its_bytes_stay_as_they_are() -> None:
    assert encode_mark(UNTIL_US) == GOLDEN
    assert decode_mark(GOLDEN, "audited.json") == UNTIL_US


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"{", "audited.json is not an audit mark"),
        (GOLDEN.replace(b"1,", b"2,"), "audited.json was written by schema 2"),
        (GOLDEN.replace(b"2026", b"late"), "audited.json is damaged: .* Remove the file, and audit again"),
        (GOLDEN.replace(b"Z", b""), "has no offset from UTC"),
    ],
)
def test_another_file_is_refused_with_what_to_do(content: bytes, said: str) -> None:
    with pytest.raises(FormatVersionError, match=said):
        decode_mark(content, "audited.json")
