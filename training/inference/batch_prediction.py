"""A batch prediction: rows in, a Parquet file with what a version says of each, written part by part."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from pathlib import Path

import polars as pl
import pyarrow.parquet

from shared_features.counted import counted
from training.errors import DatasetError
from training.inference.one_ahead import one_ahead
from training.inference.published_model import PublishedModel
from training.inference.rows_to_predict import Rows, Slice
from training.progress import Tell, untold


@dataclass(frozen=True)
class Predicted:
    """What was written. unanswered: rows of which the model gives no number; serving would refuse them.

    why_not_compiled: why ONNX Runtime ran the trees of many rows, as the part of a sentence behind "because".
    """

    rows: int
    unanswered: int
    shares_runs: bool
    why_not_compiled: str = ""


def predict_rows(model: PublishedModel, rows: Rows, output: Path, tell: Tell = untold) -> Predicted:
    """Write what is known of each row, and behind it what the model says, in the order of the rows.

    The file appears whole, when all rows are done. It names the model in the metadata of its schema.
    """
    temporary, done, unanswered = output.with_name(f".{output.name}-{uuid.uuid4().hex}"), 0, 0
    writer: pyarrow.parquet.ParquetWriter | None = None
    try:
        for each in one_ahead(rows.slices()):
            frame = _with_predictions(model, each)
            unanswered += frame[model.names[0]].null_count()
            table = frame.to_arrow().replace_schema_metadata(_lineage(model))
            if writer is None:
                writer = pyarrow.parquet.ParquetWriter(temporary, table.schema, compression="zstd")
            writer.write_table(table.cast(writer.schema))
            done += len(frame)
            tell(f"predicted {counted(done, 'row')}", done, rows.count)
        if writer is None:
            raise DatasetError("There is no row to predict. Give other rows, or another span of time.")
        writer.close()
        temporary.replace(output)
    except OSError as error:
        raise DatasetError(f"The file {output} cannot be written: {error}. Give another --output.") from error
    finally:
        if writer is not None:
            writer.close()
        temporary.unlink(missing_ok=True)
    return Predicted(done, unanswered, model.scorer.shares_runs, model.scorer.why_not)


def remove_unfinished(output: Path) -> None:
    """Remove what killed processes left beside a file. Nobody may be writing it now."""
    for each in output.parent.iterdir() if output.parent.is_dir() else ():
        if each.name.startswith(f".{output.name}-"):
            each.unlink(missing_ok=True)


def _with_predictions(model: PublishedModel, rows: Slice) -> pl.DataFrame:
    if taken := [name for name in model.names if name in rows.given.columns]:
        raise DatasetError(
            f"The rows have columns with the names of predictions: {', '.join(taken)}. The predictions would replace "
            "them. Rename or drop these columns."
        )
    predictions = pl.DataFrame(model.predict(rows.matrix, rows.codes))
    return pl.concat([rows.given, predictions], how="horizontal") if rows.given.columns else predictions


def _lineage(model: PublishedModel) -> dict[bytes, bytes]:
    manifest = model.manifest
    named = {
        "millrace.model": manifest.model,
        "millrace.version": str(manifest.version),
        "millrace.model_digest": manifest.model_digest,
        "millrace.view": f"{manifest.view.name}:v{manifest.view.version}",
        "millrace.view_fingerprint": manifest.view.fingerprint,
    }
    return {name.encode(): value.encode() for name, value in named.items()}
