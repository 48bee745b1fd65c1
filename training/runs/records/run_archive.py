"""The archive of a run (`formats.run_archive`): written from the run's folder, and read with mistrust."""

from __future__ import annotations

import gzip
import hashlib
import io
import shutil
import tarfile
import uuid
import zlib
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import IO

from shared_features.errors import FormatVersionError
from shared_features.formats.dataset_manifest import DATASET_FILE
from shared_features.formats.model_manifest import METRICS_FILE, MODEL_FILE
from shared_features.formats.run_archive import (
    ARCHIVE_FILE,
    MODEL_CARD_FILES,
    MODEL_MANIFEST_FILE,
    PICKLES,
    RunArchive,
    decode_run_archive,
    encode_run_archive,
    unsafe_name,
)
from shared_features.formats.training_run import DATASET_FOLDER
from training.errors import RequestError, StepError
from training.runs.records.run_folder import CURVES_FILE
from training.runs.records.run_report import read_report
from training.runs.records.run_slices import slice_facts, slice_rows
from training.steps.run_journal import JOURNAL_FILE

_WITHOUT_ROWS = {
    f"{DATASET_FOLDER}/{DATASET_FILE}",
    "validate/validation.json",
    f"evaluate/{METRICS_FILE}",
    f"evaluate/{CURVES_FILE}",
    f"export/{MODEL_FILE}",
    "certify/certificate.json",
    "publish/published.json",
    "promote/promotion.json",
    "score/scored.json",
}
"""What the built-in steps leave that holds no row of the dataset. What a step of one's own leaves may hold some."""
_TOP, _LOG = (JOURNAL_FILE, MODEL_MANIFEST_FILE, *MODEL_CARD_FILES), ".log"
_MOST_DESCRIPTION = 2**24
_CHUNK = 2**20
_AGAIN = "Copy the archive again, or export the run again."
_BROKEN = (tarfile.TarError, EOFError, zlib.error, gzip.BadGzipFile)


def archived_files(run: Path | None, *, data: bool) -> dict[str, Path]:
    """Name in the archive -> file; empty where the run's folder is gone. data: with the rows and what may hold rows."""
    found: dict[str, Path] = {}
    for entry in sorted(run.iterdir()) if run is not None and run.is_dir() else ():
        if entry.is_file() and (entry.name in _TOP or entry.suffix == _LOG):
            found[entry.name] = entry
        elif entry.is_dir():
            files = {f"{entry.name}/{file.relative_to(entry).as_posix()}": file for file in sorted(entry.rglob("*"))}
            found |= {name: file for name, file in files.items() if file.is_file() and (data or name in _WITHOUT_ROWS)}
    return {name: file for name, file in found.items() if not name.endswith(PICKLES)}


def write_archive(target: Path, archive: RunArchive, files: Mapping[str, Path]) -> RunArchive:
    """Write the file, whole or not at all; returns what it says of its files. Equal runs give equal bytes."""
    temporary, files = target.with_name(f".{target.name}-{uuid.uuid4().hex}"), dict(sorted(files.items()))
    try:
        named = {name: (_sha256(file), file.stat().st_size) for name, file in files.items()}
        archive = replace(archive, files=named)
        with temporary.open("xb") as file, gzip.GzipFile("", "wb", fileobj=file, mtime=0) as packed:
            _pack(packed, encode_run_archive(archive), files, named)
        temporary.replace(target)
    except OSError as error:
        raise StepError(
            f"run {archive.id} cannot be written to {target}: {error}. Mend it, or name another file."
        ) from error
    finally:
        temporary.unlink(missing_ok=True)
    return archive


def _pack(
    packed: gzip.GzipFile, description: bytes, files: Mapping[str, Path], named: Mapping[str, tuple[str, int]]
) -> None:
    with tarfile.open(fileobj=packed, mode="w|", format=tarfile.PAX_FORMAT) as tar:
        first = tarfile.TarInfo(ARCHIVE_FILE)
        first.size = len(description)
        tar.addfile(first, io.BytesIO(description))
        for name, (_, size) in named.items():
            member = tarfile.TarInfo(name)
            member.size = size
            with files[name].open("rb") as file:
                tar.addfile(member, file)


def unpack_archive(opened: IO[bytes], where: str, folder: Path) -> RunArchive:
    """Unpack into an empty folder. Raises RequestError, naming `where`, for what is not the whole archive of one run.

    Nothing is written under a name that archive.json does not give, and no link is ever made.
    """
    try:
        with tarfile.open(fileobj=opened, mode="r|gz") as tar:
            archive = _description(tar, where)
            needed, free = sum(size for _, size in archive.files.values()), shutil.disk_usage(folder).free
            if needed > free:
                raise StepError(f"{where} unpacks to {needed:,} bytes, and {folder} has {free:,} left. Make room.")
            (folder / ARCHIVE_FILE).write_bytes(encode_run_archive(archive))
            _unpack(tar, where, archive, folder)
    except _BROKEN as error:
        raise RequestError(f"{where} is cut off, damaged or not an archive of a run: {error}. {_AGAIN}") from error
    except FormatVersionError as error:
        raise RequestError(str(error)) from error
    _check_report(folder, where)
    return archive


def _description(tar: tarfile.TarFile, where: str) -> RunArchive:
    first = tar.next()
    content = tar.extractfile(first) if first is not None and first.isreg() and first.name == ARCHIVE_FILE else None
    if first is None or content is None or first.size > _MOST_DESCRIPTION:
        raise RequestError(
            f"{where} is not an archive of a run: it does not begin with {ARCHIVE_FILE}. Give a file that "
            "`python -m training runs export` wrote."
        )
    return decode_run_archive(content.read(), f"{ARCHIVE_FILE} in {where}")


def _unpack(tar: tarfile.TarFile, where: str, archive: RunArchive, folder: Path) -> None:
    found: set[str] = set()
    while (member := tar.next()) is not None:
        name = member.name
        if unsafe_name(name):
            raise RequestError(f"{where} holds {name!r}, which leads out of the folder of the run. Do not trust it.")
        if not member.isreg():
            raise RequestError(f"{where} holds {name!r}, which is a link, a folder or a device. Do not trust it.")
        if name not in archive.files or name in found:
            raise RequestError(f"{where} holds {name!r}, which its {ARCHIVE_FILE} does not name once. {_AGAIN}")
        content = tar.extractfile(member)
        if content is None or member.size != archive.files[name][1]:
            raise RequestError(f"{where}: {name!r} has another size than {ARCHIVE_FILE} says. {_AGAIN}")
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        with (folder / name).open("xb") as target:
            shutil.copyfileobj(content, target, _CHUNK)
        if _sha256(folder / name) != archive.files[name][0]:
            raise RequestError(f"{where}: {name!r} is damaged, its digest is not that in {ARCHIVE_FILE}. {_AGAIN}")
        found.add(name)
    if missing := sorted(set(archive.files) - found):
        raise RequestError(f"{where} is cut off: it lacks {missing[0]!r} and {len(missing) - 1} more. {_AGAIN}")


def _check_report(folder: Path, where: str) -> None:
    """What is shown of a run must be readable, or every page that shows it fails later."""
    try:
        report = read_report(folder)
        slice_facts(report.slices), slice_rows(report.slices)
    except (ValueError, LookupError, TypeError, AttributeError, OSError) as error:
        raise RequestError(
            f"{where} is damaged: its reports cannot be read ({type(error).__name__}: {error}). {_AGAIN}"
        ) from error


def _sha256(file: Path) -> str:
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()
