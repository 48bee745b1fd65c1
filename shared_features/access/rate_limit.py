"""A limit of how much may be asked for in a second."""

from __future__ import annotations


class RateLimit:
    """A bucket that fills evenly and holds one second's worth, and no less than one.

    What is larger than the bucket is taken when the bucket is full, and is paid off afterwards: so a long batch is
    answered, and the mean stays within the limit. Two threads at once may take one too many.
    """

    __slots__ = ("_at_s", "_held", "_most", "_per_s")

    def __init__(self, per_s: float) -> None:
        self._per_s, self._most = per_s, max(1.0, per_s)
        self._held, self._at_s = self._most, 0.0

    def take(self, number: int, now_s: float) -> float:
        """0.0 where so many were taken. Otherwise the seconds after which they can be; nothing is taken then.

        now_s: by a clock that never runs backwards.
        """
        held = min(self._most, self._held + max(0.0, now_s - self._at_s) * self._per_s)
        self._at_s = now_s
        self._held = held
        lacks = min(number, self._most) - held
        if lacks > 1e-9:  # what a float loses while the bucket fills
            return lacks / self._per_s
        self._held = held - number
        return 0.0
