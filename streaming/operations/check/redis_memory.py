"""The memory that keys with an expiry take in Redis: measured lengths, rounded as its allocator rounds them.

A key with a string is five pieces of memory: the key's text, the entry of the dictionary, the entry of the dictionary
of expiries, the object and its text. Beside them each dictionary has a table of pointers, whose size is a power of 2.
`tests/streaming/operations/check/test_redis_memory.py` compares the sum with `used_memory` of a real server.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

_ENTRY, _OBJECT, _POINTER = 24, 16, 8
_IN_THE_OBJECT = 44
"""Longest text that Redis keeps in one piece with its object."""


def redis_bytes(key_lengths: Sequence[int], value_lengths: Sequence[int], keys: int) -> int:
    """Bytes of `keys` keys like those whose lengths are given, one pair each."""
    if not key_lengths:
        return 0
    one = sum(map(_one, key_lengths, value_lengths)) / len(key_lengths)
    return round(one * keys) + 2 * _POINTER * _power_of_2(keys)


def _one(key: int, value: int) -> int:
    if value <= _IN_THE_OBJECT:
        content = _allocated(_OBJECT + _text(value, least=3))
    else:
        content = _allocated(_OBJECT) + _allocated(_text(value, least=3))
    return _allocated(_text(key)) + 2 * _allocated(_ENTRY) + content


def _text(length: int, least: int = 1) -> int:
    """A text with its header and the zero behind it."""
    header = 1 if length < 32 else 3 if length < 256 else 5 if length < 65_536 else 9
    return max(header, least) + length + 1


def _allocated(size: int) -> int:
    """What jemalloc hands out for a size: four classes between each two powers of 2."""
    if size <= 128:
        return -(-size // 8) * 8 if size <= 64 else -(-size // 16) * 16
    spacing = 1 << ((size - 1).bit_length() - 3)
    return -(-size // spacing) * spacing


def _power_of_2(least: int) -> int:
    return 1 << max(2, (max(1, least) - 1).bit_length())


def in_words(size: float) -> str:
    """A size as people read it.

    >>> in_words(3_400_000_000)
    '3.17 GiB'
    """
    units: Iterable[str] = ("B", "KiB", "MiB", "GiB")
    for unit in units:
        if size < 1024:
            return f"{size:.3g} {unit}"
        size /= 1024
    return f"{size:,.4g} TiB"
