"""The file of keys changes under a running service: what is complete is taken, what is not leaves all as it was."""

from __future__ import annotations

import os
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from shared_features.access.api_keys import PREDICT, READ, ApiKey, digest_of
from shared_features.access.key_file import LOOK_EVERY_S, WatchedKeys, add_key, read_keys, remove_key
from shared_features.errors import KeyFileError


def key(name: str) -> ApiKey:
    return ApiKey(name, frozenset({PREDICT}), digest_of(name.encode()))


@pytest.fixture
def file(tmp_path: Path) -> Path:
    add_key(tmp_path / "keys", key("a"))
    return tmp_path / "keys"


class Watched:
    def __init__(self, file: Path) -> None:
        self.told: list[str] = []
        self.keys = WatchedKeys(file, self.told.append)

    def looks(self, times: int = 2) -> list[str]:
        """The names that are known after so many looks."""
        for _ in range(times):
            self.keys.look()
        return [name for name in "abcdef" if self.keys.ring.find(name.encode())]


def test_the_file_is_its_owners_alone_and_holds_no_key(file: Path) -> None:
    assert file.stat().st_mode & 0o777 == 0o600
    assert [each.name for each in read_keys(file)] == ["a"]
    assert not list(file.parent.glob(".keys-*"))


def test_a_file_that_exists_keeps_its_mode_and_a_link_stays_a_link(file: Path, tmp_path: Path) -> None:
    """A service that may read the file by its group could not read it after the next key."""
    file.chmod(0o640)
    link = tmp_path / "link"
    link.symlink_to(file)
    add_key(link, key("b"))
    assert link.is_symlink()
    assert file.stat().st_mode & 0o777 == 0o640
    remove_key(link, "a")
    assert [each.name for each in read_keys(file)] == ["b"]


def test_of_many_who_add_a_key_at_once_none_loses_its_own(file: Path) -> None:
    names = [f"k{number}" for number in range(40)]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda name: add_key(file, key(name)), names))
    assert sorted(each.name for each in read_keys(file)) == sorted(["a", *names])


def test_what_cannot_be_done_is_said(file: Path, tmp_path: Path) -> None:
    with pytest.raises(KeyFileError, match="There is a key 'a' in"):
        add_key(file, key("a"))
    with pytest.raises(KeyFileError, match="There is no key 'b' in"):
        remove_key(file, "b")
    with pytest.raises(KeyFileError, match=r"cannot be read: No such file or directory. Make one by `keys new NAME`"):
        read_keys(tmp_path / "none")
    with pytest.raises(KeyFileError, match="Is a directory"):
        read_keys(tmp_path)
    with pytest.raises(KeyFileError, match="cannot be written: Not a directory"):
        add_key(file / "under" / "keys", key("b"))
    (tmp_path / "bytes").write_bytes(b"\xff\xfe\n")
    with pytest.raises(KeyFileError, match="is not a text"):
        WatchedKeys(tmp_path / "bytes", print)


def test_a_key_that_is_made_or_withdrawn_counts_after_two_looks(file: Path) -> None:
    watched = Watched(file)
    assert watched.looks() == ["a"]
    add_key(file, key("b"))
    assert watched.looks(1) == ["a"]
    assert watched.looks(1) == ["a", "b"]
    remove_key(file, "a")
    assert watched.looks() == ["b"]
    assert watched.told == ["API keys were read again: 2", "API keys were read again: 1"]


def test_a_change_of_the_same_length_in_the_same_instant_is_seen(file: Path) -> None:
    watched = Watched(file)
    before = file.stat()
    file.write_text(file.read_text().replace(key("a").line, key("b").line))
    os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert watched.looks() == ["b"]


def test_a_file_that_is_written_slowly_locks_nobody_out(file: Path) -> None:
    """Each beginning of the new content stands there for a while, also those that end with a whole line."""
    watched = Watched(file)
    whole = key("b").line + key("a").line + key("c").line
    ends = [at for at, each in enumerate(whole, 1) if each == "\n"][:-1]
    for length in sorted({*range(0, len(whole), 17), *ends}):
        file.write_text(whole[:length])
        known = watched.looks(1)
        assert known == ["a"], f"after {length} characters"
    file.write_text(whole)
    assert watched.looks() == ["a", "b", "c"]
    assert all(secret.hex() not in said for said in watched.told for secret in (key("a").digest, key("b").digest))


@pytest.mark.parametrize("how", ["gone", "empty", "cut off", "not a key", "unreadable bytes"])
def test_a_file_that_cannot_be_used_leaves_the_keys_as_they_were_and_is_told_once(file: Path, how: str) -> None:
    watched, content = Watched(file), file.read_bytes()
    broken = {
        "empty": b"",
        "cut off": content[:-1],
        "not a key": content + b"mallory admin cafe\n",
        "unreadable bytes": content + b"\xff\n",
    }
    if how == "gone":
        file.unlink()
    else:
        file.write_bytes(broken[how])
    assert watched.looks(5) == ["a"]
    assert len(watched.told) == 1
    assert watched.told[0].startswith("keeping the API keys as they were: ")
    file.write_bytes(content + key("b").line.encode())
    assert watched.looks() == ["a", "b"]


def test_all_keys_can_be_withdrawn(file: Path) -> None:
    watched = Watched(file)
    remove_key(file, "a")
    assert watched.looks() == []


def test_the_file_is_looked_at_until_it_is_stopped(file: Path) -> None:
    watched = Watched(file)
    watched.keys.start()
    add_key(file, ApiKey("b", frozenset({READ}), key("b").digest))
    until = time.monotonic() + 60
    while watched.keys.ring.find(b"b") is None:
        assert time.monotonic() < until
        time.sleep(LOOK_EVERY_S / 10)
    watched.keys.stop()
