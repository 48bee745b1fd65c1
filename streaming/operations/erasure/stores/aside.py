"""The positions of erased events, kept until everything at these positions is erased: the events are erased first."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

ASIDE = ".erasing"
"""Folder of the lake."""


def kept_aside(lake: Path, digest: str, source: str, found: pa.Table) -> pa.Table:
    """Store the positions of a source for a later run, and return them together with those that are stored already.

    Positions are stored already if an erasure was killed. An erasure that was begun must be finished.
    """
    folder = lake / ASIDE
    folder.mkdir(exist_ok=True)
    before = [pq.read_table(each) for each in sorted(folder.glob(f"*.{source}.parquet"))]
    whole = pa.concat_tables([found, *before]).group_by(found.column_names).aggregate([])
    temporary = folder / f"{digest}.{source}.new"
    pq.write_table(whole, temporary)
    temporary.replace(folder / f"{digest}.{source}.parquet")
    return whole


def forget_aside(lake: Path, digest: str) -> None:
    for file in (lake / ASIDE).glob(f"{digest}.*"):
        file.unlink()
