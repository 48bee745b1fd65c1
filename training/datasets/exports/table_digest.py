"""The digest of a table: of its values and not of its file, whose bytes differ from release to release of Polars."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

import numpy as np
import polars as pl


def table_digest(frame: pl.DataFrame) -> str:
    """sha256 over names, types and values in the order of the rows. Every NaN counts as the same."""
    digest = hashlib.sha256()
    for series in frame:
        digest.update(f"{series.name}\n{series.dtype}\n{len(series)}\n".encode())
        for part in _parts(series):
            digest.update(part)
    return digest.hexdigest()


def _parts(series: pl.Series) -> Iterator[bytes]:
    if series.null_count():
        yield series.is_null().to_numpy().tobytes()
    if series.dtype.is_temporal():
        series = series.to_physical()
    if series.dtype == pl.String:
        texts = series.fill_null("")
        yield texts.str.len_bytes().cast(pl.Int64).to_numpy().astype("<i8").tobytes()
        yield "".join(texts.to_list()).encode()
    elif series.dtype == pl.Boolean:
        yield series.fill_null(False).to_numpy().tobytes()
    elif series.dtype.is_float() or series.dtype.is_integer():
        values = series.fill_null(0).to_numpy().copy()
        if series.dtype.is_float():
            values[np.isnan(values)] = np.nan
        yield values.astype(values.dtype.newbyteorder("<")).tobytes()
    else:
        yield repr(series.to_list()).encode()
