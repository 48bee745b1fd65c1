from __future__ import annotations

import pytest

from shared_features.errors import FormatVersionError
from shared_features.formats.registry_log import RegistryChange, decode_log, encode_change

CHANGE = RegistryChange(
    1_767_225_600_000_001, "ada", "promote", "card_fraud", 3, "better on\nterminals", "champion", 2, "ab" * 4
)
GOLDEN = (
    b'{"at":"2026-01-01T00:00:00.000001Z","who":"ada","action":"promote","model":"card_fraud","version":3,'
    b'"why":"better on\\nterminals","alias":"champion","before":2,"digest":"abababab","schema_version":1}\n'
)


def test_golden_bytes_are_one_line_and_come_back() -> None:
    assert encode_change(CHANGE) == GOLDEN
    assert decode_log(GOLDEN * 2) == ([CHANGE, CHANGE], [])


def test_what_a_power_cut_left_is_not_a_change_and_hides_no_other() -> None:
    torn = GOLDEN[:40]
    assert decode_log(GOLDEN + torn) == ([CHANGE], [])
    assert decode_log(torn + b"\n" + GOLDEN) == ([CHANGE], [1])
    assert decode_log(b'{"later":' + b"[" * 100_000 + b"\n" + GOLDEN) == ([CHANGE], [1])
    assert decode_log(b"") == ([], [])


@pytest.mark.parametrize(
    ("old", "new"), [(b'version":1', b'version":2'), (b'"promote"', b'"annul"')], ids=["schema", "action"]
)
def test_a_line_of_a_newer_release_is_refused(old: bytes, new: bytes) -> None:
    with pytest.raises(FormatVersionError, match=r"log\.jsonl has a line 2 .* Run the release that wrote it"):
        decode_log(GOLDEN + GOLDEN.replace(old, new))
