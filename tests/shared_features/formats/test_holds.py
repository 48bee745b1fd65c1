from __future__ import annotations

import json

import pytest

from shared_features.errors import FormatVersionError
from shared_features.formats.holds import Hold, decode_hold, encode_hold

START_US, END_US = 1_767_225_600_000_000, 1_767_744_000_000_000


def test_a_hold_comes_back_from_its_bytes() -> None:
    hold = Hold("unaudited", START_US + 1, END_US, ("payments",))
    assert decode_hold(encode_hold(hold), "h") == hold
    assert encode_hold(Hold("r", 0)) == (
        b'{\n  "from": "1970-01-01T00:00:00Z",\n  "reason": "r",\n  "schema_version": 1,\n  "sources": null,\n'
        b'  "until": null\n}\n'
    )
    with pytest.raises(FormatVersionError, match="h was written by schema 2"):
        decode_hold(encode_hold(hold).replace(b'version": 1', b'version": 2'), "h")


PLAIN = {"schema_version": 1, "reason": "r", "from": "2026-03-01T00:00:00Z", "until": None, "sources": None}


@pytest.mark.parametrize("sources", ["payments", [], [1], {"payments": 1}, 7])
def test_a_hold_says_its_sources_as_a_list_of_names(sources: object) -> None:
    plain = {"schema_version": 1, "reason": "r", "from": "2026-03-01T00:00:00Z", "until": None, "sources": sources}
    with pytest.raises(FormatVersionError, match="give a list of names"):
        decode_hold(json.dumps(plain).encode(), "h")


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"from": "2026-03-01T00:00:00"}, r"time 2026-03-01T00:00:00 has no offset from UTC"),
        ({"from": "soon"}, "'soon'"),
        ({"from": 7}, r"expected `str`, got `int` - at `\$\.from`"),
        ({"until": "never"}, "'never'"),
        ({"sources": [1]}, r"at `\$\.sources\[0\]`"),
    ],
)
def test_a_damaged_hold_says_where_and_what_to_do(changed: dict[str, object], said: str) -> None:
    with pytest.raises(FormatVersionError, match=rf"^h\.json is damaged: .*{said}.*\. Write the hold again.*\.$"):
        decode_hold(json.dumps({**PLAIN, **changed}).encode(), "h.json")


def test_a_time_may_be_written_in_any_way_of_iso_8601() -> None:
    for text in ("2026-03-01T00:00:00Z", "2026-03-01 01:00+01:00", "20260301T000000Z"):
        assert decode_hold(json.dumps({**PLAIN, "from": text}).encode(), "h").from_us == 1_772_323_200_000_000
