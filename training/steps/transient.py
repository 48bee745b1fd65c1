"""Which errors may be gone when a step is tried again."""

from __future__ import annotations

import errno

_MAY_PASS = {
    errno.EAGAIN,
    errno.EBUSY,
    errno.EINTR,
    errno.ENETDOWN,
    errno.ENETUNREACH,
    errno.EHOSTUNREACH,
    errno.ESTALE,
    errno.ETIMEDOUT,
}


def is_transient(error: BaseException | None) -> bool:
    """Whether an error, or one that caused it, is of a connection, a time limit or a busy device.

    A missing file, a full disk and a folder that is read-only are not: somebody has to mend them.
    """
    while error is not None:
        if isinstance(error, ConnectionError | TimeoutError):
            return True
        if isinstance(error, OSError) and error.errno in _MAY_PASS:
            return True
        error = error.__cause__
    return False
