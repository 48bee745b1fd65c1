"""The run template `batch-score`: what a version of a model says of many rows, written into a file."""

from __future__ import annotations

import math
from datetime import datetime
from pathlib import PurePosixPath
from typing import Literal

import msgspec

from training.errors import RequestError

BATCH_SCORE = "batch-score"
_PARQUET = ".parquet"


class BatchScore(msgspec.Struct, forbid_unknown_fields=True, frozen=True, kw_only=True, rename={"from_": "from"}):
    """The parameters of the template `batch-score`: those of `python -m training predict`, under the same names.

    spine, output: files in the folder that the setting `scoring` names. version: a number or an alias; None: the
    champion, as it is when the run begins. lag: seconds.
    """

    model: str
    output: str
    version: int | str | None = None
    spine: str | None = None
    from_: datetime | None = None
    to: datetime | None = None
    truth: Literal["as-served", "event-time"] = "as-served"
    lag: float = 0.0

    def check(self) -> None:
        """Raises RequestError for what cannot be scored."""
        _check_file("output", self.output)
        if not self.output.endswith(_PARQUET):
            raise _wrong("output", f"Output {self.output!r} is not a name of a Parquet file. Let it end in {_PARQUET}.")
        if self.spine is None:
            self._check_times()
        elif self.from_ is not None or self.to is not None:
            raise _wrong("spine", "Rows are given twice: by spine, and by from and to. Leave one of them out.")
        else:
            _check_file("spine", self.spine)
        if not (math.isfinite(self.lag) and self.lag >= 0):
            raise _wrong("lag", f"lag is {self.lag}. Give seconds, 0 or more.")

    def _check_times(self) -> None:
        if self.from_ is None or self.to is None:
            raise _wrong("spine", "No rows are given. Give spine, the name of a file, or both from and to.")
        for name, given in (("from", self.from_), ("to", self.to)):
            check_zone(name, given)
        if not self.from_ < self.to:
            raise _wrong("to", f"The rows would end at {self.to}, which is not after {self.from_}. Give a later time.")
        if (self.truth, self.lag) != ("as-served", 0.0):
            raise _wrong("truth", "truth and lag are of rows of a spine, and from and to are given. Leave them out.")


def check_zone(name: str, given: datetime) -> None:
    """Raises RequestError for a time of no time zone."""
    if given.tzinfo is None:
        raise _wrong(name, f"{name} {given} has no time zone. Give a time such as 2026-01-31T00:00:00Z.")


def _check_file(name: str, given: str) -> None:
    """A client of the service reaches no file outside of the folder."""
    parts = PurePosixPath(given).parts
    hidden = any(part.startswith(".") for part in parts)
    if not parts or hidden or given.startswith("/") or "\0" in given or given.endswith("/"):
        raise _wrong(
            name,
            f"{given!r} is not a name of a file in the folder of MILLRACE_SCORING. Give a name such as "
            "orders.parquet or 2026/orders.parquet, without `..` and without a dot in front.",
        )


def _wrong(name: str, what: str) -> RequestError:
    return RequestError(what, f"$.parameters.{name}")
