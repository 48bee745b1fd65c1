"""Why a project cannot be written, as one message for the person who asked for it.

MillraceError   of shared_features
  ProjectError  no definitions can be written as they were asked for
"""

from shared_features.errors import MillraceError


class ProjectError(MillraceError):
    """The message says what is wrong, what was found, and what to do."""
