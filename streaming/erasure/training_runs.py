"""What training keeps of its runs: `<runs>/<view>/<run>/dataset/rows.parquet` and a matrix of the same rows.

A registry's version holds a model and descriptions, no rows; the intermediate results of its run do, with entity keys.
A run that holds an erased event is removed whole: it can be made again, without it.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path

import polars as pl
import pyarrow as pa

from shared_features.definitions import Catalogue
from shared_features.errors import DefinitionError
from shared_features.formats.offline_tables import POSITION


def runs_with(runs: Path, catalogue: Catalogue, positions: Mapping[str, pa.Table]) -> list[Path]:
    """The runs that hold one of the positions; `positions`: by source. Of an unknown view any source may be meant."""
    found = []
    for file in sorted(runs.glob("*/*/dataset/rows.parquet")):
        run = file.parent.parent
        try:
            sources = [catalogue.view(run.parent.name).source.name]
        except DefinitionError:
            sources = list(positions)
        rows = pl.scan_parquet(file).select(POSITION)
        for name in sources:
            gone = pl.from_arrow(positions[name]) if name in positions else None
            if isinstance(gone, pl.DataFrame) and rows.join(gone.lazy(), on=POSITION, how="semi").collect().height:
                found.append(run)
                break
    return found


def remove_runs(runs: list[Path]) -> int:
    for run in runs:
        shutil.rmtree(run)
    return len(runs)
