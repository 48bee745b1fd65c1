"""An archive holds what was exported, byte for byte; a hostile, damaged or newer one is refused and leaves nothing."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import tarfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from shared_features.formats.run_archive import ARCHIVE_FILE, encode_run_archive
from tests.shared_features.formats.test_run_archive import ARCHIVE
from training.errors import RequestError, StepError
from training.runs.records.run_archive import archived_files, unpack_archive, write_archive

FILES = {
    "run.json": "{}",
    "fit.log": "fitted",
    "lock": "",
    "dataset/dataset.json": "{}",
    "dataset/rows.parquet": "rows",
    "dataset/sampled_inputs.pickle": "code",
    "fit/forest.pickle": "code",
    "evaluate/metrics.json": json.dumps({"chosen": "forest", "models": {}}),
    "own/deep/table.csv": "rows",
}


@pytest.fixture
def run(tmp_path: Path) -> Path:
    for name, content in FILES.items():
        file = tmp_path / "results" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(content)
    run = tmp_path / "run"
    run.mkdir()
    for entry in (tmp_path / "results").iterdir():
        (run / entry.name).symlink_to(entry)  # as the steps of a run are links to their results
    return run


def test_what_is_exported_is_imported_without_pickles_and_without_rows_if_asked(run: Path, tmp_path: Path) -> None:
    without = {"run.json", "fit.log", "dataset/dataset.json", "evaluate/metrics.json"}
    for data, names in ((False, without), (True, without | {"dataset/rows.parquet", "own/deep/table.csv"})):
        files = archived_files(run, data=data)
        assert set(files) == names
        target, folder = tmp_path / f"{data}.tar.gz", tmp_path / f"unpacked {data}"
        written = write_archive(target, ARCHIVE, files)
        assert write_archive(tmp_path / "again", ARCHIVE, files) == written
        assert (tmp_path / "again").read_bytes() == target.read_bytes(), "equal runs give equal bytes"
        folder.mkdir()
        with target.open("rb") as opened:
            assert unpack_archive(opened, "it", folder) == written
        for name in names:
            assert (folder / name).read_text() == FILES[name]
            assert not (folder / name).is_symlink()
        assert {each.relative_to(folder).as_posix() for each in folder.rglob("*") if each.is_file()} == {
            *names,
            ARCHIVE_FILE,
        }
    assert archived_files(tmp_path / "gone", data=True) == archived_files(None, data=True) == {}


def test_a_file_that_cannot_be_written_is_named(run: Path, tmp_path: Path) -> None:
    with pytest.raises(StepError, match=r"run nightly-1 cannot be written to .*nowhere.*Mend it, or name another file"):
        write_archive(tmp_path / "nowhere" / "a.tar.gz", ARCHIVE, archived_files(run, data=True))


def tar_of(*members: tuple[str, bytes] | tarfile.TarInfo) -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as tar:
        for each in members:
            if isinstance(each, tarfile.TarInfo):
                tar.addfile(each)
            else:
                info = tarfile.TarInfo(each[0])
                info.size = len(each[1])
                tar.addfile(info, io.BytesIO(each[1]))
    return packed.getvalue()


def described(**files: tuple[str, int]) -> tuple[str, bytes]:
    return ARCHIVE_FILE, encode_run_archive(replace(ARCHIVE, files=files))


def link(name: str, kind: bytes) -> tarfile.TarInfo:
    found = tarfile.TarInfo(name)
    found.type, found.linkname = kind, "/etc/passwd"
    return found


def honest(contents: dict[str, bytes]) -> bytes:
    """An archive of these files with their right digests."""
    files = {name: (hashlib.sha256(content).hexdigest(), len(content)) for name, content in contents.items()}
    return tar_of((ARCHIVE_FILE, encode_run_archive(replace(ARCHIVE, files=files))), *contents.items())


JOURNAL = json.dumps(
    {"asked": {"view": {"label": "v"}, "dataset": {}}, "data": {}, "began_at_us": 0, "steps": {}}
).encode()
X = ("2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881", 1)
"""Of a file that holds an x."""
NEWER = json.loads(encode_run_archive(ARCHIVE)) | {"schema_version": 2}
HOSTILE: dict[str, tuple[bytes, str]] = {
    "not gzip": (b"x" * 600, "is cut off, damaged or not an archive of a run"),
    "empty": (b"", "is not an archive of a run|is cut off"),
    "another tar": (tar_of(("a", b"x")), "does not begin with archive.json. Give a file that"),
    "a newer format": (tar_of((ARCHIVE_FILE, json.dumps(NEWER).encode())), "was written by schema 2, this reader kno"),
    "out of the folder": (tar_of(described(a=X), ("../a", b"x")), "holds '../a', which leads out of the folder"),
    "from the root": (tar_of(described(a=X), ("/a", b"x")), "holds '/a', which leads out of the folder"),
    "a symbolic link": (tar_of(described(a=X), link("a", tarfile.SYMTYPE)), "holds 'a', which is a link"),
    "a hard link": (tar_of(described(a=X), link("a", tarfile.LNKTYPE)), "holds 'a', which is a link"),
    "a device": (tar_of(described(a=X), link("a", tarfile.CHRTYPE)), "holds 'a', which is a link, a folder or a dev"),
    "a folder": (tar_of(described(a=X), link("a", tarfile.DIRTYPE)), "holds 'a', which is a link, a folder"),
    "a link in place of archive.json": (tar_of(link(ARCHIVE_FILE, tarfile.SYMTYPE)), "does not begin with archive"),
    "not named": (tar_of(described(), ("a", b"x")), "holds 'a', which its archive.json does not name once"),
    "twice": (tar_of(described(a=X), ("a", b"x"), ("a", b"x")), "holds 'a', which its archive.json does not name once"),
    "another size": (tar_of(described(a=X), ("a", b"xx")), "'a' has another size than archive.json says"),
    "other bytes": (tar_of(described(a=X), ("a", b"y")), "'a' is damaged, its digest is not that in archive.json"),
    "missing": (tar_of(described(a=X, b=X), ("a", b"x")), "is cut off: it lacks 'b'"),
    "larger than the disk": (tar_of(described(a=(X[0], 2**60))), r"unpacks to 1,152,9.* bytes, and .* has .* left"),
    "a report that is not one": (honest({"run.json": JOURNAL, "evaluate/metrics.json": b"[]"}), "its reports cannot"),
    "a file below a file": (honest({"a": b"x", "a/b": b"x"}), "'a/b' lies below another file"),
}  # fmt: skip


@pytest.mark.parametrize("kind", HOSTILE)
def test_a_hostile_or_damaged_archive_is_refused(kind: str, tmp_path: Path) -> None:
    content, said = HOSTILE[kind]
    (tmp_path / "folder").mkdir()
    with pytest.raises((RequestError, StepError), match=said):
        unpack_archive(io.BytesIO(content), "it", tmp_path / "folder")
    assert {each.name for each in tmp_path.iterdir()} == {"folder"}


@pytest.mark.parametrize("cut", [lambda size: 1, lambda size: size // 2, lambda size: size - 300])
def test_an_archive_that_is_cut_off_is_refused(run: Path, tmp_path: Path, cut: Callable[[int], int]) -> None:
    (tmp_path / "results" / "own" / "deep" / "table.csv").write_bytes(bytes(range(256)) * 40)
    write_archive(tmp_path / "a.tar.gz", ARCHIVE, archived_files(run, data=True))
    whole = (tmp_path / "a.tar.gz").read_bytes()
    (tmp_path / "folder").mkdir()
    with pytest.raises(RequestError, match=r"is cut off|is damaged"):
        unpack_archive(io.BytesIO(whole[: cut(len(whole))]), "it", tmp_path / "folder")


def test_a_gzip_within_which_bytes_changed_is_refused(run: Path, tmp_path: Path) -> None:
    write_archive(tmp_path / "a.tar.gz", ARCHIVE, archived_files(run, data=True))
    plain: Any = bytearray(gzip.decompress((tmp_path / "a.tar.gz").read_bytes()))
    at = plain.index(b"fitted")
    plain[at : at + 6] = b"FITTED"
    (tmp_path / "folder").mkdir()
    with pytest.raises(RequestError, match=r"'fit\.log' is damaged, its digest"):
        unpack_archive(io.BytesIO(gzip.compress(bytes(plain))), "it", tmp_path / "folder")
