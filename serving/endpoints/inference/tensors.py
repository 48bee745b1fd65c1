"""Tensors of the protocol: how values lie in the binary part of a body, and as which text of JSON a request has them.

A 32-bit float is the shortest text that gives it back, as if the client had typed it: 71.35 is 71.35, and not the
71.3499985 that a wider float makes of it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import msgspec
import numpy as np

from shared_features.definitions import Field

BYTES, BOOL = "BYTES", "BOOL"
_DTYPES = {
    **{f"{kind}{8 * size}": f"<{kind[0].lower()}{size}" for kind in ("INT", "UINT") for size in (1, 2, 4, 8)},
    **{f"FP{8 * size}": f"<f{size}" for size in (2, 4, 8)},
    BOOL: "?",
}
DATATYPES = (*_DTYPES, BYTES)
_LENGTH_BYTES = 4


def datatype_of(field: Field) -> str:
    """Of the values of a field of a request."""
    if field.is_text or isinstance(field.type.example, str):
        return BYTES
    if field.type.storage == "boolean":
        return BOOL
    return "FP64" if field.type.step_decimals else "INT64"


def decode_tensor(datatype: str, raw: bytes, count: int) -> list[Any]:
    """The values in these bytes. Raises ValueError, which says what does not fit."""
    if datatype == BYTES:
        return _decode_texts(raw, count)
    dtype = np.dtype(_DTYPES[datatype])
    if len(raw) != count * dtype.itemsize:
        raise ValueError(f"{len(raw)} bytes, and {count} values of {datatype} take {count * dtype.itemsize}")
    if datatype == BOOL and raw.strip(b"\0\1"):
        raise ValueError("a byte that is neither 0 nor 1")
    return np.frombuffer(raw, dtype).tolist() if datatype != "FP32" else _shortest(np.frombuffer(raw, dtype))


def _shortest(values: Any) -> list[Any]:
    return [float(str(each)) for each in values]


def _decode_texts(raw: bytes, count: int) -> list[str]:
    texts, at = list[str](), 0
    for _ in range(count):
        begin = at + _LENGTH_BYTES
        at = begin + int.from_bytes(raw[at:begin], "little")
        if at > len(raw) or begin > len(raw):
            raise ValueError(f"{len(raw)} bytes, which end within text {len(texts)} of {count}")
        texts.append(raw[begin:at].decode())
    if at != len(raw):
        raise ValueError(f"{len(raw)} bytes, and {count} texts end at {at}")
    return texts


def encode_tensor(datatype: str, values: Sequence[Any]) -> bytes:
    """The values as bytes."""
    if datatype != BYTES:
        return np.array(values, _DTYPES[datatype]).tobytes()
    texts = [str(each).encode() for each in values]
    return b"".join(len(each).to_bytes(_LENGTH_BYTES, "little") + each for each in texts)


def json_texts(datatype: str, values: Sequence[Any]) -> list[bytes]:
    """Each value as JSON. What is not a number is missing, as is null. Raises ValueError for infinity."""
    if datatype == "FP32":
        with np.errstate(over="ignore"):
            values = [float(str(np.float32(each))) if isinstance(each, float) else each for each in values]
    if any(isinstance(each, float) and math.isinf(each) for each in values):
        raise ValueError("an infinite number")  # which JSON would call null, as what is missing
    encode: Callable[[Any], bytes] = msgspec.json.Encoder().encode  # NaN becomes null
    return [encode(each) for each in values]
