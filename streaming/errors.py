"""What stops a streaming process, as a tree.

StreamingError
  SettingsError     a setting is wrong; the message names it
  RefusedError      going on would be unsafe; the message names the thing, what was found and what to do
  RestartNeeded     what this process knows is no longer what is stored; a fresh process sorts it out at once
  StoppedWaiting    asked to stop while a server was away; what was not committed is read again at the start

Waiting for Redis, Kafka or the lake is not among them: that ends when they are back.
"""

from __future__ import annotations

EXIT_OK = 0
"""Done, or drained: everything in flight was committed."""
EXIT_REFUSED = 1
"""Going on would be unsafe: the supervisor backs off between its attempts."""
EXIT_RESTART = 75
"""EX_TEMPFAIL: a commit or a position was not what was expected; the supervisor restarts the process at once."""


class StreamingError(Exception):
    """Anything a streaming process ends with; `exit_code` is what it ends as."""

    exit_code = EXIT_REFUSED


class SettingsError(StreamingError):
    """A setting cannot be used; the message names it and what was expected."""


class RefusedError(StreamingError):
    """What is stored and what is configured do not fit; a person has to decide what gives."""


class RestartNeeded(StreamingError):
    """A commit or a position was not what was expected: drop all that is held and start again."""

    exit_code = EXIT_RESTART


class StoppedWaiting(StreamingError):
    """Asked to stop while waiting for a server: nothing is lost, what was not committed is read again."""

    exit_code = EXIT_OK
