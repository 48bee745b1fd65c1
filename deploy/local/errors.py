"""Why something cannot run on this machine, as one message for the person who started it."""


class LocalError(RuntimeError):
    """The message says what happened, where to read more, and what to do."""
