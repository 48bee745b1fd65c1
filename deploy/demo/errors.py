"""Why the demo cannot continue, as one message for the person who started it.

LocalError   of deploy.local, a MillraceError
  DemoError  the demo cannot continue
"""

from deploy.local.errors import LocalError


class DemoError(LocalError):
    """The message says what happened, where to read more, and what to do."""
