"""The record of erasures: a Delta table with a keyed digest of each entity, the time, the ends of the logs, and counts.

An erasure is *begun* before anything is deleted, with the ends of the logs up to which it erases, and *done* at the
end. An erasure that was begun and is not done continues up to the same ends. What was written later is new, and stays.
The table never holds a key.
"""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import pyarrow as pa

from shared_features.formats.offline_tables import ERASURES_TABLE
from streaming.errors import RefusedError, RestartNeeded
from streaming.lake.handle import DeltaHandle

SALT_FILE = "erasures.salt"
_NUMBER_APP = "erasures_record"
_SCHEMA = pa.schema(
    [
        ("number", pa.int64()),
        ("step", pa.string()),
        ("entity", pa.string()),
        ("key_digest", pa.string()),
        ("at_us", pa.int64()),
        ("log_ends", pa.string()),
        ("counts", pa.string()),
    ]
)
LogEnds = Mapping[str, Mapping[int, int]]
"""Topic -> partition -> the offset at which its log ended. Everything below is erased."""


@dataclass(frozen=True)
class Begun:
    """The last step of an erasure of one digest."""

    step: Literal["begun", "done"]
    log_ends: LogEnds


def salt(lake: Path) -> bytes:
    """The secret of the lake, created at the first erasure. Without it no digest can be compared with a key."""
    file = lake / SALT_FILE
    if not file.exists():
        temporary = lake / f".{SALT_FILE}.{os.getpid()}"
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as written:
            written.write(secrets.token_bytes(32))
            written.flush()
            os.fsync(written.fileno())
        try:
            os.link(temporary, file)  # if two commands run at once, the first secret stays
        except FileExistsError:
            pass
        finally:
            temporary.unlink()
    return file.read_bytes()


class ErasureRecord:
    """The table, for one command."""

    def __init__(self, lake: Path) -> None:
        self._handle = DeltaHandle(lake / ERASURES_TABLE, _SCHEMA)

    def last(self) -> dict[str, Begun]:
        """The last step by digest."""
        rows = pa.table(self._handle.refresh().scan(columns=_SCHEMA.names)).to_pylist()
        found: dict[str, Begun] = {}
        for row in sorted(rows, key=lambda each: each["number"]):
            ends: Any = json.loads(row["log_ends"])
            numbered = {topic: {int(number): end for number, end in of.items()} for topic, of in ends.items()}
            found[row["key_digest"]] = Begun(row["step"], numbered)
        return found

    def begin(self, entity: str, digests: Iterable[str], now_ends: LogEnds, at_us: int) -> dict[str, LogEnds]:
        """The ends of each digest: of an erasure that was begun and is not done its own, else those of now."""
        last = self.last()
        begun = {digest: each.log_ends for digest, each in last.items() if each.step == "begun"}
        ends = {digest: begun.get(digest, now_ends) for digest in digests}
        if new := {digest: each for digest, each in ends.items() if digest not in begun}:
            self.write("begun", entity, new, at_us)
        return ends

    def write(
        self,
        step: Literal["begun", "done"],
        entity: str,
        digests: Mapping[str, LogEnds],
        at_us: int,
        counts: Mapping[str, int] | None = None,
    ) -> None:
        """Store a step of some subjects. Raises RefusedError if another command writes at the same time."""
        self._handle.refresh()
        stored = self._handle.position(_NUMBER_APP)
        rows: Sequence[Mapping[str, Any]] = [
            {
                "number": stored + 1,
                "step": step,
                "entity": entity,
                "key_digest": digest,
                "at_us": at_us,
                "log_ends": json.dumps(ends),
                "counts": json.dumps(counts or {}),
            }
            for digest, ends in digests.items()
        ]
        try:
            table = pa.Table.from_pylist(list(rows), schema=_SCHEMA)
            self._handle.commit(table, {_NUMBER_APP: stored}, {_NUMBER_APP: stored + 1})
        except RestartNeeded as error:
            raise RefusedError("Another `erase` runs at the same time. Run this again when it has ended") from error
