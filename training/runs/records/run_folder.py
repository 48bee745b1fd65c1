"""What the steps of a run leave for each other in its folder."""

from __future__ import annotations

import json
import pickle
from pathlib import Path
from typing import Any

CURVES_FILE = "curves.json"
"""Of the step `evaluate`: candidate -> `score_curves` or `residual_curves`."""
NOTES_FILE = "notes.json"
"""Of the step `fit`: candidate -> sentences of how it was fitted."""
FAILING_ROWS_FILE = "failing_rows.json"
"""Of the step `validate`: what is expected and not met -> the rows that are shown. Not in an archive without rows."""
LEAKS_FILE = "leaks.json"
"""Of the step `leaks`: what the leak gate looked at and found."""


def model_file(directory: Path, name: str) -> Path:
    """Where the step `fit` leaves a candidate."""
    return directory / f"{name}.pickle"


def search_file(directory: Path, name: str) -> Path:
    """Where the step `fit` leaves the trials of a search for a candidate; a page is beside it."""
    return directory / f"search-{name}.json"


def load_pickle(path: Path) -> Any:
    return pickle.loads(path.read_bytes())


def read_json(path: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(path.read_bytes())
    return found
