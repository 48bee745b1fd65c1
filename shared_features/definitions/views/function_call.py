"""A call of an on-demand function: what it is given, and an error that names it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from shared_features.definitions.views.view_feature import ViewFeature
from shared_features.errors import OnDemandError
from shared_features.kernel.texts import Texts


def call_function(column: ViewFeature, values: Iterable[Any]) -> Any:
    """What the function of a column gives for the values of its inputs, a text as its code.

    Raises OnDemandError when the function raises.
    """
    function: Any = column.function
    given = (
        [
            Texts(np.asarray(each)) if wanted.is_text else each
            for wanted, each in zip(column.inputs, values, strict=True)
        ]
        if column.reads_texts
        else values
    )
    try:
        return function(*given)
    except Exception as error:
        raise OnDemandError(f"on-demand function {column.name!r} raises {described(error)}") from error


def described(error: BaseException) -> str:
    """An exception in one line, as in "ValueError: no such plan"."""
    said = " ".join(str(error).split())
    return f"{type(error).__name__}: {said}" if said else type(error).__name__
