"""Changing a table that others append to and compact: whoever comes second looks again."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from deltalake import DeltaTable
from deltalake.exceptions import CommitFailedError

from streaming.errors import RefusedError

_TRIES = 60
Result = TypeVar("Result")


def changed(path: Path, change: Callable[[DeltaTable], Result]) -> Result:
    """Make a change on a table opened for it, as often as it takes against the commits of others.

    RefusedError when there is no end of them.
    """
    for tried in range(_TRIES):
        try:
            return change(DeltaTable(path))
        except CommitFailedError:
            time.sleep(random.uniform(0.01, 0.05) * (tried + 1))
    raise RefusedError(f"table {path.name} was written by others at each of {_TRIES} tries; run this again")
