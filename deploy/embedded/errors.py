"""What keeps an embedded part from running, as one message for the person who started it.

MillraceError    of shared_features
  EmbeddedError  an embedded part is missing, did not start or ended
"""

from shared_features.errors import MillraceError


class EmbeddedError(MillraceError):
    """An embedded part is missing, did not start or ended; the message says which one and what to do."""
