"""A line of the file is a key or is refused by its number, and no error shows what stands there."""

from __future__ import annotations

import pytest

from shared_features.access.api_keys import ADMIN, PREDICT, READ, ApiKey, check_key, digest_of, new_key, parse_keys
from shared_features.errors import KeyFileError

DIGEST = digest_of(b"secret")


def test_a_key_comes_back_from_its_line() -> None:
    for key in (
        ApiKey("shop", frozenset({PREDICT, READ}), DIGEST, 100.0, 2_500.5),
        ApiKey("ci-2", frozenset({ADMIN}), DIGEST, rows_per_s=1_234_567.0),
    ):
        assert parse_keys("# who may ask\n\n" + key.line, "keys") == (key,)


def test_the_scope_admin_holds_the_others() -> None:
    keys = {scope: ApiKey("a", frozenset({scope}), DIGEST) for scope in (PREDICT, READ, ADMIN)}
    may = {scope: [each for each in (PREDICT, READ, ADMIN) if key.may(each)] for scope, key in keys.items()}
    assert may == {PREDICT: [PREDICT], READ: [READ], ADMIN: [PREDICT, READ, ADMIN]}


def test_every_new_key_is_another_and_has_256_random_bits() -> None:
    keys = {new_key() for _ in range(100)}
    assert len(keys) == 100
    assert {len(key) for key in keys} == {len("millrace_") + 43}


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("shop predict", "Line 2 of keys is not an API key"),
        ("shop predict millrace_geheim", "Line 2 of keys is not an API key"),
        (f"shop predict {DIGEST.hex()[:-1]}", "Line 2 of keys is not an API key"),
        (f"shop predict {DIGEST.hex().upper()}", "Line 2 of keys is not an API key"),
        (f"shop run {DIGEST.hex()}", r"Line 2 of keys cannot be used\. There is no scope 'run'\. Give some of predict"),
        (f"shop , {DIGEST.hex()}", "There is no scope ''"),
        (f"2 predict {DIGEST.hex()}", "'2' is not a name of a key"),
        (f"ключ predict {DIGEST.hex()}", "is not a name of a key"),
        (
            f"shop predict {DIGEST.hex()} rows=many",
            r"Line 2 of keys has a limit that cannot be read\. Write requests=N",
        ),
        (f"shop predict {DIGEST.hex()} bytes=5", "Line 2 of keys has a limit"),
        (f"shop predict {DIGEST.hex()} rows=0", r"A limit of key shop is 0\.0"),
        (f"shop predict {DIGEST.hex()} rows=nan", "A limit of key shop is nan"),
        (f"a predict {DIGEST.hex()}", "Key a of keys has the name or the digest of another"),
    ],
)
def test_a_line_that_is_no_key_is_named_and_not_shown(line: str, said: str) -> None:
    with pytest.raises(KeyFileError, match=said) as error:
        parse_keys(f"a predict {DIGEST.hex()}\n{line}\n", "keys")
    assert "geheim" not in str(error.value)


def test_a_last_line_without_an_end_may_be_written_in_part() -> None:
    """`requests=1` of `requests=1000`: a line that was cut off may still be a key, and another one."""
    with pytest.raises(KeyFileError, match="The last line of keys has no end"):
        parse_keys(f"shop predict {DIGEST.hex()} requests=1", "keys")


def test_a_key_without_a_scope_is_refused() -> None:
    with pytest.raises(KeyFileError, match="Key shop has no scope"):
        check_key(ApiKey("shop", frozenset(), DIGEST))
