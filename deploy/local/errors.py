"""Why something cannot run on this machine, as one message for the person who started it.

MillraceError  of shared_features
  LocalError   the stack of this machine cannot do what was asked
"""

from shared_features.errors import MillraceError


class LocalError(MillraceError):
    """The message says what happened, where to read more, and what to do."""
