"""The online store as serving reads it: values of keys, read in atomic steps."""

from __future__ import annotations

from collections.abc import Awaitable, Sequence
from typing import Protocol

NOT_A_STRING = b""
"""The value of a key that holds a hash, a list, ... No state and no meta has these bytes."""

Values = list[bytes | None]


class OnlineStore(Protocol):
    """What the request path asks of a store."""

    def read(self, reads: Sequence[Sequence[bytes]]) -> Awaitable[list[Values]]:
        """The values of keys, None for a missing key. The keys of one read are read in one atomic step.

        The keys of one read share a hash tag. Raises OnlineStoreError within the deadline, whatever happens.
        """
