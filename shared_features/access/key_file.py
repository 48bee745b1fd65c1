"""The file of API keys: read, written whole, and looked at while a service runs.

So a key is made, changed or withdrawn without a restart.
"""

from __future__ import annotations

import fcntl
import os
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from shared_features.access.api_keys import HEAD, ApiKey, check_key, parse_keys
from shared_features.access.key_ring import KeyRing, KnownKey
from shared_features.access.lookout import Lookout
from shared_features.errors import KeyFileError

LOOK_EVERY_S = 0.5
_LARGEST = 1 << 24


def read_keys(file: Path) -> tuple[ApiKey, ...]:
    """Raises KeyFileError for a file that cannot be read, naming the line."""
    return _parsed(_content(file), file)


def add_key(file: Path, key: ApiKey) -> None:
    """Add a key to the file, or begin the file. Raises KeyFileError for a name that is taken, or one that cannot be."""
    check_key(key)
    with _changing(file):
        known = read_keys(file) if file.exists() else ()
        if key.name in {each.name for each in known}:
            raise KeyFileError(f"There is a key {key.name!r} in {file} already. Give another name, or remove that key.")
        _replace(file, (file.read_text() if file.exists() else HEAD) + key.line)


def remove_key(file: Path, name: str) -> None:
    """Withdraw a key. Raises KeyFileError where there is none of that name."""
    with _changing(file):
        if name not in {each.name for each in read_keys(file)}:
            raise KeyFileError(f"There is no key {name!r} in {file}. `keys list` shows the names.")
        lines = file.read_text().splitlines(keepends=True)
        _replace(file, "".join(line for line in lines if line.split()[:1] != [name]))


class WatchedKeys(Lookout):
    """`ring`: the keys of the file as it is, within two looks. Raises KeyFileError where the first look fails.

    A file that was changed is taken when two looks find the same content, and only if every line is a key: one that is
    being written, or is gone, leaves the keys as they were. tell: gets a sentence when that changes.
    """

    def __init__(self, file: Path, tell: Callable[[str], None]) -> None:
        super().__init__("API keys", LOOK_EVERY_S, tell)
        self._file = file
        self._taken = self._seen = _content(file)
        self.ring = KeyRing(_parsed(self._taken, file))

    def find(self, given: bytes) -> KnownKey | None:
        """The key that was given; None where there is no such key."""
        return self.ring.find(given)

    def look(self) -> None:
        try:
            content = _content(self._file)
            if content != self._seen or content == self._taken:
                self._seen = content
                return
            keys = _parsed(content, self._file)
        except KeyFileError as error:
            self._say(f"keeping the API keys as they were: {error}")
            return
        self.ring, self._taken = KeyRing(keys, self.ring), content
        self._say(f"API keys were read again: {len(keys)}")
        self._told = ""


def _content(file: Path) -> bytes:
    advice = "Make one by `keys new NAME`."
    try:
        with file.open("rb") as opened:
            content = opened.read(_LARGEST)
    except OSError as error:
        raise KeyFileError(f"The API keys in {file} cannot be read: {error.strerror}. {advice}") from error
    if not content:  # an editor empties a file before it writes
        raise KeyFileError(f"The file of API keys {file} is empty. {advice}")
    return content


def _parsed(content: bytes, file: Path) -> tuple[ApiKey, ...]:
    try:
        return parse_keys(content.decode(), str(file))
    except UnicodeDecodeError:
        raise KeyFileError(f"The file of API keys {file} is not a text. Make one by `keys new NAME`.") from None


@contextmanager
def _changing(file: Path) -> Iterator[None]:
    """One process at a time: of two that add a key, each keeps the other's."""
    folder = file.resolve().parent
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = os.open(folder, os.O_RDONLY)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield
            os.fsync(lock)
        finally:
            os.close(lock)
    except OSError as error:
        raise KeyFileError(
            f"The file of API keys {file} cannot be written: {error.strerror}. Give a place that can be."
        ) from error


def _replace(file: Path, text: str) -> None:
    """In one step, behind a link too, readable for its owner alone; the owner and mode of a file that exists stay."""
    file = file.resolve()
    temporary = file.with_name(f".{file.name}-{uuid.uuid4().hex}")
    try:
        with open(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as written:  # noqa: PTH123  # the mode
            if file.exists():
                before = file.stat()
                os.fchmod(written.fileno(), before.st_mode & 0o7777)
                with suppress(PermissionError):
                    os.fchown(written.fileno(), before.st_uid, before.st_gid)
            written.write(text)
            written.flush()
            os.fsync(written.fileno())
        temporary.replace(file)
    finally:
        temporary.unlink(missing_ok=True)
