"""API keys: who may ask, and for what. A file holds their digests; a key itself is shown once and kept nowhere.

A line of the file is a key: its name, its scopes, its digest, and its limits if it has any:

    shop predict,read 5b3f...e1 requests=100 rows=2000

A key is 256 random bits, so a slow hash would add nothing. An empty line, or one that begins with #, says nothing.
"""

from __future__ import annotations

import hashlib
import math
import secrets
from dataclasses import dataclass

from shared_features.errors import KeyFileError

PREDICT, READ, ADMIN = "predict", "read", "admin"
SCOPES = {
    PREDICT: "ask for predictions",
    READ: "look: features without a model, metrics, training runs",
    ADMIN: "change what runs: start, cancel, schedule and import training runs, and take rows away; holds the others",
}
"""What each scope permits."""
HEAD = "# name scopes sha256(key) limits. Remove a line to withdraw its key.\n"
_START, _BYTES, _DIGEST_LENGTH = "millrace_", 32, 64
_HEX = frozenset("0123456789abcdef")
_REQUESTS, _ROWS = "requests", "rows"


@dataclass(frozen=True, slots=True)
class ApiKey:
    """digest: sha256 of the key. requests_per_s, rows_per_s: the most that it may ask for; None: no limit."""

    name: str
    scopes: frozenset[str]
    digest: bytes
    requests_per_s: float | None = None
    rows_per_s: float | None = None

    def may(self, scope: str) -> bool:
        """Whether it may be used for that."""
        return scope in self.scopes or ADMIN in self.scopes

    @property
    def line(self) -> str:
        """Its line of the file."""
        limits = ((_REQUESTS, self.requests_per_s), (_ROWS, self.rows_per_s))
        told = [f"{name}={most:.15g}" for name, most in limits if most is not None]
        return " ".join([self.name, ",".join(sorted(self.scopes)), self.digest.hex(), *told]) + "\n"


def new_key() -> str:
    """A key that nobody has."""
    return _START + secrets.token_urlsafe(_BYTES)


def digest_of(key: bytes) -> bytes:
    """What is kept of a key."""
    return hashlib.sha256(key).digest()


def check_key(key: ApiKey) -> ApiKey:
    """The key. Raises KeyFileError for a name, a scope or a limit that cannot be."""
    if not (key.name.isascii() and key.name.replace("-", "_").isidentifier()):
        raise KeyFileError(
            f"{key.name!r} is not a name of a key. Use letters, digits, - and _, and begin with a letter."
        )
    if unknown := sorted(key.scopes - SCOPES.keys()):
        raise KeyFileError(f"There is no scope {unknown[0]!r}. Give some of {', '.join(SCOPES)}.")
    if not key.scopes:
        raise KeyFileError(f"Key {key.name} has no scope. Give some of {', '.join(SCOPES)}.")
    for most in (key.requests_per_s, key.rows_per_s):
        if most is not None and not 0 < most < math.inf:
            raise KeyFileError(f"A limit of key {key.name} is {most}. Give a number a second, more than 0.")
    return key


def parse_keys(text: str, file: str) -> tuple[ApiKey, ...]:
    """The keys of a file's text. Raises KeyFileError, which never shows a line: a key may stand there by mistake."""
    if text and not text.endswith("\n"):
        raise KeyFileError(f"The last line of {file} has no end, so it may be written in part. End it with a new line.")
    lines = [(number, line.split()) for number, line in enumerate(text.splitlines(), 1)]
    keys = tuple(_key(file, number, parts) for number, parts in lines if parts and not parts[0].startswith("#"))
    seen: set[str] = set()
    for key in keys:
        if seen & {key.name, key.digest.hex()}:
            raise KeyFileError(
                f"Key {key.name} of {file} has the name or the digest of another. Remove one of the lines."
            )
        seen |= {key.name, key.digest.hex()}
    return keys


def _key(file: str, number: int, parts: list[str]) -> ApiKey:
    where = f"Line {number} of {file}"
    if len(parts) < 3 or len(parts[2]) != _DIGEST_LENGTH or not _HEX.issuperset(parts[2]):
        raise KeyFileError(f"{where} is not an API key. Remove it, and make a new key by `keys new NAME`.")
    limits: dict[str, float] = {}
    for each in parts[3:]:
        name, _, most = each.partition("=")
        try:
            limits[{_REQUESTS: "requests_per_s", _ROWS: "rows_per_s"}[name]] = float(most)
        except (KeyError, ValueError):
            raise KeyFileError(f"{where} has a limit that cannot be read. Write requests=N or rows=N.") from None
    try:
        return check_key(ApiKey(parts[0], frozenset(parts[1].split(",")), bytes.fromhex(parts[2]), **limits))
    except KeyFileError as error:
        raise KeyFileError(f"{where} cannot be used. {error}") from None
