"""Why a project cannot be written, as one message for the person who asked for it."""


class ProjectError(RuntimeError):
    """The message says what is wrong, what was found, and what to do."""
