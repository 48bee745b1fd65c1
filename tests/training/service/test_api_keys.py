"""API keys are shown once and kept as digests; a line that is no key is named."""

from __future__ import annotations

from pathlib import Path

import pytest

from training.errors import RequestError
from training.service.api_keys import add_key, known_key, read_keys


def test_a_key_is_known_by_its_digest_only(tmp_path: Path) -> None:
    file = tmp_path / "keys"
    looks, starts = add_key(file, "dashboard", ["read"]), add_key(file, "ci", ["run"])
    assert looks not in file.read_text()
    assert file.stat().st_mode & 0o077 == 0
    keys = read_keys(file)
    found = known_key(keys, looks)
    assert found is not None
    assert (found.name, found.may("read"), found.may("run")) == ("dashboard", True, False)
    other = known_key(keys, starts)
    assert other is not None
    assert other.may("read")
    assert other.may("run")
    assert known_key(keys, looks + "x") is None
    assert known_key(keys, found.digest) is None


def test_what_is_no_key_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "keys"
    with pytest.raises(RequestError, match="'a b' is not a name of a key"):
        add_key(file, "a b", ["read"])
    with pytest.raises(RequestError, match=r"There is no scope 'write'\. Give some of read, run"):
        add_key(file, "a", ["write"])
    with pytest.raises(RequestError, match="Make one by `python -m training key NAME`"):
        read_keys(file)
    add_key(file, "a", ["read"])
    with pytest.raises(RequestError, match="There is a key 'a' in"):
        add_key(file, "a", ["read"])
    file.write_text(file.read_text() + "mallory run cafe\n")
    with pytest.raises(RequestError, match=r"Line 3 of .* is not an API key"):
        read_keys(file)
