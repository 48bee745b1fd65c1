"""API keys: who may ask, and for what. A file holds their digests; a key itself is shown once and kept nowhere."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from training.durable_files import replace_file
from training.errors import RequestError

READ, RUN = "read", "run"
SCOPES = (READ, RUN)
"""read: look. run: start, cancel, resume, fork, schedule, import, export with data; it holds `read`."""
_HEAD = "# name scopes sha256(key), written by `python -m training key`. Remove a line to withdraw its key.\n"
_BYTES = 32


@dataclass(frozen=True)
class ApiKey:
    """digest: sha256 of the key, in hex. A key is 256 random bits, so a slow hash would add nothing."""

    name: str
    scopes: frozenset[str]
    digest: str

    def may(self, scope: str) -> bool:
        return scope in self.scopes or RUN in self.scopes


def add_key(file: Path, name: str, scopes: Sequence[str]) -> str:
    """Make a key and write its digest down. Raises RequestError for a name or a scope that cannot be."""
    if not name.replace("-", "_").isidentifier():
        raise RequestError(f"{name!r} is not a name of a key. Use letters, digits, - and _.")
    if unknown := sorted(set(scopes) - set(SCOPES)):
        raise RequestError(f"There is no scope {unknown[0]!r}. Give some of {', '.join(SCOPES)}.")
    known = read_keys(file) if file.exists() else ()
    if name in {each.name for each in known}:
        raise RequestError(f"There is a key {name!r} in {file} already. Give another name, or remove its line.")
    key = f"millrace_{secrets.token_urlsafe(_BYTES)}"
    line = f"{name} {','.join(sorted(set(scopes)))} {digest_of(key)}\n"
    file.parent.mkdir(parents=True, exist_ok=True)
    replace_file(file, ((file.read_text() if known else _HEAD) + line).encode())
    file.chmod(0o600)
    return key


def read_keys(file: Path) -> tuple[ApiKey, ...]:
    """Raises RequestError for a file that cannot be read, naming the line."""
    try:
        lines = file.read_text().splitlines()
    except OSError as error:
        raise RequestError(
            f"The API keys in {file} cannot be read: {error.strerror}. Make one by `python -m training key NAME`."
        ) from error
    return tuple(_key(file, number, line) for number, line in enumerate(lines, 1) if line and line[0] != "#")


def known_key(keys: Iterable[ApiKey], given: str) -> ApiKey | None:
    """The key that was given. Every key is compared, and each in constant time, so that the time tells nothing."""
    digest, found = digest_of(given), None
    for each in keys:
        if hmac.compare_digest(each.digest, digest):
            found = each
    return found


def digest_of(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()


def _key(file: Path, number: int, line: str) -> ApiKey:
    parts = line.split()
    if len(parts) != 3 or len(parts[2]) != 64 or not set(parts[1].split(",")) <= set(SCOPES):
        raise RequestError(f"Line {number} of {file} is not an API key. Remove it, and make a new key by `key NAME`.")
    return ApiKey(parts[0], frozenset(parts[1].split(",")), parts[2])
