"""Only errors that may pass by themselves are tried again."""

from __future__ import annotations

import errno

import pytest

from training.errors import StepError
from training.steps.transient import is_transient


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (ConnectionResetError(), True),
        (TimeoutError(), True),
        (OSError(errno.ESTALE, "stale file handle"), True),
        (OSError(errno.ENOSPC, "no space left"), False),
        (OSError(errno.EROFS, "read-only"), False),
        (FileNotFoundError(), False),
        (ValueError(), False),
    ],
)
def test_an_error_is_looked_at_and_so_is_its_cause(error: Exception, expected: bool) -> None:
    assert is_transient(error) is expected
    wrapped = StepError("step stopped")
    wrapped.__cause__ = error
    assert is_transient(wrapped) is expected
