"""Texts, as an on-demand function sees them: they are compared with texts, on one row and on many alike.

Inside is the code of each text (`kernel.hashing`). Nothing but a comparison has a meaning on it, so anything else is a
TypeError. A number would be silently wrong.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from typing import Any, NoReturn

import numpy as np
from numpy.typing import NDArray

from shared_features.kernel.hashing import text_code, text_codes

_FEW = 16
_EQUAL, _NOT_EQUAL, _IS_NAN = np.equal, np.not_equal, np.isnan
_ALLOWED = "Use ==, !=, np.isin, np.isnan (true where the text is missing) or np.where"


class Texts:
    """One text (shape `()`) or n texts (shape `(n,)`). A missing text equals nothing and differs from every text.

    `==`, `!=`, `np.equal`, `np.not_equal` and `np.isin` take a `str`, several of them, or other Texts. `np.isnan` says
    which are missing, and `np.where` chooses between texts. Anything else raises TypeError.

    >>> Texts.of(["gold", None, "basic"]) == "gold"
    array([ True, False, False])
    >>> bool(Texts.of("gold") == "gold")
    True
    """

    __slots__ = ("codes",)
    __hash__ = None  # type: ignore[assignment]  # equal to a text, and without the hash of a text

    def __init__(self, codes: NDArray[np.float64]) -> None:
        self.codes = codes
        """float64, the code of each text; NaN where it is missing."""

    @classmethod
    def of(cls, texts: str | Iterable[str | None] | None) -> Texts:
        """These texts; None is a missing one."""
        alone = texts is None or isinstance(texts, str)
        values: list[Any] = [texts] if alone else list(texts or ())
        codes = np.where([each is None for each in values], np.nan, text_codes(values))
        return cls(codes[0] if alone else codes)

    @property
    def shape(self) -> tuple[int, ...]:
        return self.codes.shape

    @property
    def ndim(self) -> int:
        return self.codes.ndim

    @property
    def size(self) -> int:
        return self.codes.size

    def __eq__(self, other: object) -> Any:
        return np.equal(self.codes, _codes(other))

    def __ne__(self, other: object) -> Any:
        return np.not_equal(self.codes, _codes(other))

    def __repr__(self) -> str:
        return f"Texts(codes={self.codes!r})"

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **options: Any) -> Any:
        if method == "__call__":
            if ufunc is _IS_NAN:
                return ufunc(self.codes, **options)
            if ufunc is _EQUAL or ufunc is _NOT_EQUAL:
                return ufunc(*map(_codes, inputs), **options)
        return _refuse(f"np.{ufunc.__name__}")

    def __array_function__(self, function: Any, types: Any, given: Any, options: Any) -> Any:
        if function is np.isin:
            return _isin(*given, **options)
        if function is np.where and len(given) == 3 and not isinstance(given[0], Texts):
            return Texts(np.where(given[0], _codes(given[1]), _codes(given[2])))
        return _refuse(f"np.{function.__name__}")

    def __array__(self, *_: Any, **__: Any) -> NoReturn:
        _refuse("a number")

    def __bool__(self) -> NoReturn:
        _refuse("its truth value")

    def __contains__(self, _: object) -> NoReturn:
        _refuse("a part of it")

    def __getattr__(self, name: str) -> NoReturn:
        raise AttributeError(f"a text has no {name!r} in an on-demand function, which can only compare it. {_ALLOWED}")


def _refuse(wanted: str) -> NoReturn:
    raise TypeError(f"an on-demand function can only compare a text, found {wanted}. {_ALLOWED}")


def _codes(other: object) -> Any:
    """The codes of what texts are compared with."""
    if isinstance(other, Texts):
        return other.codes
    if isinstance(other, str):
        return _code(other)
    if isinstance(other, np.ndarray) and other.dtype.kind in "UO":
        return np.array([_codes(each) for each in other.ravel().tolist()], np.float64).reshape(other.shape)
    if isinstance(other, list | tuple | set | frozenset):
        return np.array([_codes(each) for each in other], np.float64)
    raise TypeError(f"a text is compared with texts, found {other!r}. {_ALLOWED}")


@lru_cache(maxsize=4096)
def _code(text: str) -> float:
    return float(text_code(text))


def _isin(element: Any, test_elements: Any, *_: Any, invert: bool = False, **__: Any) -> Any:
    codes = np.asarray(_codes(element))
    if isinstance(test_elements, Texts | np.ndarray) or len(test_elements) > _FEW:
        return np.isin(codes, _codes(test_elements), invert=invert)
    found = np.zeros(codes.shape, np.bool_)
    for each in [test_elements] if isinstance(test_elements, str) else test_elements:
        found |= np.equal(codes, _codes(each))
    return ~found if invert else found
