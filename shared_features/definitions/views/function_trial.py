"""A trial of a view's on-demand functions: what cannot work is found when definitions are loaded, not in a request.

Each function is called with single values, with arrays, with empty arrays and with nothing but missing values. Whether
single values and arrays give the same bits is another question, which training asks before it publishes.
"""

from __future__ import annotations

import ast
import inspect
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import FunctionType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from shared_features.definitions.functions.function_source import function_node
from shared_features.definitions.views.feature_view import FeatureView
from shared_features.definitions.views.function_call import call_function
from shared_features.definitions.views.view_feature import Input, ViewFeature
from shared_features.errors import OnDemandError
from shared_features.kernel.event_time import DAY_US
from shared_features.kernel.hashing import text_code
from shared_features.kernel.texts import Texts

_ROWS = 3
_INSTANTS_US = (20_000 * DAY_US + 1, 0, 20_007 * DAY_US)
_NUMBERS = (1.5, 0.0, np.nan)
_TEXTS = ("example", "")
_BOTH = (
    "Write it with functions of numpy that take a single value and an array alike: np.where(x > 0, a, b) for an `if`, "
    "np.isin(x, [...]) for `in`, `&` for `and`, np.maximum(a, b) for max(a, b), np.divide(a, b) where b may be 0"
)


def check_functions(view: FeatureView) -> None:
    """Raise OnDemandError, which says what is wrong with each function of the view that cannot work."""
    if faults := list(_faults(view)):
        raise OnDemandError(f"feature view {view.label}: {'. '.join(faults)}")


def _faults(view: FeatureView) -> Iterator[str]:
    for column in view.columns:
        if column.function is None:
            continue
        try:
            _refuse_is_none(column)
            _try(column)
        except OnDemandError as error:
            yield f"{error}{_place(column)}"


def _place(column: ViewFeature) -> str:
    """Where the function is written, as in " (line 3 of features.py)"."""
    code = getattr(inspect.unwrap(column.function), "__code__", None) if callable(column.function) else None
    return "" if code is None else f" (line {code.co_firstlineno} of {Path(code.co_filename).name})"


def _try(column: ViewFeature) -> None:
    whole = [_values(each) for each in column.inputs]
    nothing = [each if _is_instant(wanted) else _frozen(np.full(_ROWS, np.nan))
               for wanted, each in zip(column.inputs, whole, strict=True)]  # fmt: skip
    with np.errstate(all="ignore"):  # as `feature_matrix` calls them
        _call(column, whole, "arrays")
        for row in range(_ROWS):
            _call(column, [each[row].item() for each in whole], "single values")
        _call(column, [each[:0] for each in whole], "empty arrays")
        _call(column, nothing, "arrays of missing values")
        _refuse_text_for_number(column, whole)


def _call(column: ViewFeature, values: Sequence[Any], kind: str) -> None:
    shape = np.shape(values[0]) if values else (_ROWS,)
    try:
        given = call_function(column, values)
    except OnDemandError as error:
        raise OnDemandError(f"{error}, called with {kind}. {_BOTH}") from error
    if isinstance(given, np.ma.MaskedArray):
        raise _gives(column, "a masked array", kind, "Give NaN where a value is unknown")
    if isinstance(given, str | Texts):
        raise _gives(column, "a text", kind, "Give a number, as in np.where(plan == 'gold', 1.0, 0.0)")
    try:
        found = np.asarray(given)
    except (ValueError, TypeError):  # rows of different lengths
        raise _gives(column, type(given).__name__, kind, f"Give numbers. {_BOTH}") from None
    if found.dtype.kind not in "biuf":
        what = {"U": "texts", "c": "complex numbers"}.get(found.dtype.kind, repr(given))
        raise _gives(column, what, kind, "Give real numbers, and NaN where a value is unknown")
    if found.shape != shape:
        advice = "Give one value for each row, computed from the inputs of this row alone"
        raise _gives(column, f"shape {found.shape} for inputs of shape {shape}", kind, advice)


def _gives(column: ViewFeature, what: str, kind: str, advice: str) -> OnDemandError:
    return OnDemandError(f"on-demand function {column.name!r} gives {what}, called with {kind}. {advice}")


def _values(wanted: Input) -> NDArray[Any]:
    """Values that an input may have: a usual one, an empty one and a missing one. An instant is never missing."""
    if _is_instant(wanted):
        return _frozen(np.array(_INSTANTS_US, np.int64))
    if not wanted.is_text:
        return _frozen(np.array(_NUMBERS))
    return _frozen(np.array([*map(text_code, _TEXTS), np.nan]))


def _is_instant(wanted: Input) -> bool:
    return wanted.field is None and wanted.feature is None


def _frozen(values: NDArray[Any]) -> NDArray[Any]:
    """Read-only: a function that changes what it is given would change it for the next function, too."""
    values.setflags(write=False)
    return values


class _Number(np.ndarray[Any, Any]):
    """Numbers that refuse to be compared with a text. numpy's own would be unequal to every text, and say nothing."""

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **options: Any) -> Any:
        if any(np.asarray(each).dtype.kind in "US" for each in inputs if not isinstance(each, Texts)):
            raise _ComparedWithTextError(f"np.{ufunc.__name__}")
        plain = [each.view(np.ndarray) if isinstance(each, _Number) else each for each in inputs]
        return getattr(ufunc, method)(*plain, **options)


class _ComparedWithTextError(TypeError):
    """A number was compared with a text."""


def _refuse_text_for_number(column: ViewFeature, whole: Sequence[NDArray[Any]]) -> None:
    try:
        call_function(column, [each if wanted.is_text else each.view(_Number)
                               for wanted, each in zip(column.inputs, whole, strict=True)])  # fmt: skip
    except OnDemandError as error:
        if isinstance(error.__cause__, _ComparedWithTextError):
            raise OnDemandError(
                f"on-demand function {column.name!r} compares a number with a text ({error.__cause__}), which are "
                "never equal. Compare a text field, or compare with a number"
            ) from error


def _refuse_is_none(column: ViewFeature) -> None:
    """`x is None` would be false for every row: a missing value is NaN."""
    if not isinstance(column.function, FunctionType):
        return
    names = set(inspect.signature(column.function).parameters)
    for node in ast.walk(function_node(column.function)):
        if (
            isinstance(node, ast.Compare)
            and isinstance(node.ops[0], ast.Is | ast.IsNot)
            and isinstance(node.left, ast.Name)
            and node.left.id in names
        ):
            raise OnDemandError(
                f"on-demand function {column.name!r} asks for the identity of {node.left.id!r} by `is`, and a missing "
                f"value is NaN, not None. Write np.isnan({node.left.id})"
            )
