"""The wall "run archive": one training run as a file, which another machine or another release lists and compares.

    RUN.tar.gz    archive.json                  `RunArchive`; the first member
                  run.json                      the run's journal: what it was asked for, and which data it read
                  <step>.log                    what a step printed
                  dataset/dataset.json          `formats.dataset_manifest`
                  evaluate/metrics.json, ...    the metrics, curves and reports of the steps, and the exported graph
                  model-manifest.json           `formats.model_manifest`, of the version that the run published
                  model-card.md, .html          the model card of that version
                  <step>/...                    with the data: every other file of a step

Members are plain files, under the names and with the sizes and digests that archive.json gives, and nothing else. A
pickle is never among them, because loading one runs its code.

    <runs>/imported-runs/<digest of id>/...     an imported run: the members of its archive
                         new-<random>/...       one that is being imported
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime
from pathlib import PurePosixPath
from typing import Annotated, Any

import msgspec

from shared_features.errors import FormatVersionError
from shared_features.formats.json_document import decode_document, encode_document

SCHEMA_VERSION = 1
ARCHIVE_FILE = "archive.json"
MODEL_MANIFEST_FILE = "model-manifest.json"
MODEL_CARD_FILES = ("model-card.md", "model-card.html")
IMPORTED_FOLDER = "imported-runs"
"""Beside the folders of views. No view has this name, because it is not an identifier."""
PICKLES = (".pickle", ".pkl", ".joblib")
_STATUS = ("succeeded", "failed", "cancelled")
_STATES = ("done", "skipped", "failed", "cancelled", "waiting", "running")
_STEP = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_REMEDY = "export the run again"
_END_OF_TIME_S = 253_402_300_800
Milliseconds = Annotated[int, msgspec.Meta(ge=0, lt=_END_OF_TIME_S * 10**3)]
Microseconds = Annotated[int, msgspec.Meta(ge=0, lt=_END_OF_TIME_S * 10**6)]


@dataclass(frozen=True)
class ArchivedStep:
    """A step as it ended. needs: the earlier steps that it waited for."""

    name: str
    state: str
    reason: str = ""
    seconds: float | None = None
    line: str = ""
    needs: tuple[str, ...] = ()


@dataclass(frozen=True)
class RunArchive:
    """One run that has ended.

    id: under which it was done. asked_at: RFC 3339, with its zone. origin: the run that it was forked from. summary:
    what is known of its data, code, metrics and model. reason: why it was started. files: name -> sha256 and size in
    bytes. data: whether the rows of its dataset and the files of its own steps are among them.
    """

    id: str
    status: str
    template: str
    parameters: Mapping[str, Any]
    asked_at: str
    steps: tuple[ArchivedStep, ...]
    files: Mapping[str, tuple[str, int]]
    data: bool
    error: str = ""
    began_at_ms: Milliseconds | None = None
    ended_at_ms: Milliseconds | None = None
    origin: str | None = None
    summary: Mapping[str, Any] = field(default_factory=dict)
    reason: str = ""
    schema_version: int = SCHEMA_VERSION


class _View(msgspec.Struct):
    label: str
    fingerprint: str


class _Check(msgspec.Struct):
    asked: str
    found: str
    passed: bool


class _Slices(msgspec.Struct):
    metric: str
    slices: dict[str, dict[str, float | None]]
    worst: str | None
    best: str | None
    gap: float | None


class _Summary(msgspec.Struct):
    """The parts of a summary that are shown, with their types."""

    view: _View | None = None
    cut_us: Microseconds | None = None
    code: dict[str, str] = {}
    chosen: str | None = None
    metrics: dict[str, float | None] = {}
    model: str | None = None
    version: int | None = None
    promoted: bool | None = None
    reasons: list[str] = []
    checks: list[_Check] = []
    slices: dict[str, _Slices] = {}


def encode_run_archive(archive: RunArchive) -> bytes:
    """The content of archive.json; equal runs give equal bytes."""
    return encode_document(asdict(archive))


def decode_run_archive(content: bytes, where: str = ARCHIVE_FILE) -> RunArchive:
    """The run in these bytes, which may come from anybody. Raises FormatVersionError, naming `where`."""
    found = decode_document(content, RunArchive, SCHEMA_VERSION, where, "the description of an archived run", _REMEDY)
    if fault := next(_faults(found), None):
        raise FormatVersionError(f"{where} is damaged: {fault}. {_REMEDY.capitalize()}.")
    return found


def unsafe_name(name: str) -> bool:
    """Whether a file of this name could lie outside of the folder of its run, or is not the name of a file."""
    parts = PurePosixPath(name).parts
    return not parts or name != "/".join(parts) or ".." in parts or parts[0] == "/" or "\\" in name or "\0" in name


def _faults(archive: RunArchive) -> Iterator[str]:
    """What no run can be, one text each."""
    if archive.status not in _STATUS:
        yield f"its status is {archive.status!r}, and only a run that has ended is archived"
    try:
        has_zone = datetime.fromisoformat(archive.asked_at).tzinfo is not None
    except ValueError:
        has_zone = False
    if not has_zone:
        yield f"asked_at is {archive.asked_at!r}, which is not an instant"
    try:
        msgspec.convert(dict(archive.summary), _Summary)
    except msgspec.ValidationError as error:
        yield f"its summary: {error}"
    if not archive.steps:
        yield "it has no steps"
    earlier: set[str] = set()
    for step in archive.steps:
        if not _STEP.fullmatch(step.name) or step.name in earlier or not earlier.issuperset(step.needs):
            yield f"its step {step.name!r} has no name of its own, or waits for a step that does not come before it"
        if step.state not in _STATES:
            yield f"its step {step.name!r} is {step.state!r}"
        earlier.add(step.name)
    for name in archive.files:
        if not {parent.as_posix() for parent in PurePosixPath(name).parents}.isdisjoint(archive.files):
            yield f"its file {name!r} lies below another file"
        if unsafe_name(name):
            yield f"its file {name!r} leads out of the folder of the run"
        if name.endswith(PICKLES) or name == ARCHIVE_FILE:
            yield f"its file {name!r} is not one that a run is archived with"
