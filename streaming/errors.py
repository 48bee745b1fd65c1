"""What stops a streaming process, as a tree.

MillraceError       of shared_features
  StreamingError    the root of those of this package
    SettingsError   a setting is wrong; the message names it
    RefusedError    to continue would be unsafe; the message names the thing, what was found and what to do
    RestartNeeded   this process holds something that differs from what is stored; a restart at once repairs this
    StoppedWaiting  asked to stop while a server was unavailable; uncommitted events are read again at the next start

Waiting for Redis, Kafka or the lake is not an error. It ends when they are available again.
"""

from __future__ import annotations

from shared_features.errors import MillraceError

EXIT_OK = 0
"""Done, or drained: everything in flight was committed."""
EXIT_REFUSED = 1
"""To continue would be unsafe. The supervisor restarts with growing delays."""
EXIT_RESTART = 75
"""EX_TEMPFAIL: a commit or a position was not what was expected; the supervisor restarts the process at once."""


class StreamingError(MillraceError):
    """An error that ends a streaming process with `exit_code`."""

    exit_code = EXIT_REFUSED


class SettingsError(StreamingError):
    """A setting cannot be used; the message names it and what was expected."""


class RefusedError(StreamingError):
    """What is stored does not fit what is configured. A person has to decide."""


class RestartNeeded(StreamingError):
    """A commit or a position was not the expected one: drop everything in memory and restart."""

    exit_code = EXIT_RESTART


class StoppedWaiting(StreamingError):
    """Asked to stop while waiting for a server. Nothing is lost: uncommitted events are read again."""

    exit_code = EXIT_OK
