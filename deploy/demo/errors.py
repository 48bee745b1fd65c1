"""Why the demo cannot continue, as one message for the person who started it."""


class DemoError(RuntimeError):
    """The message says what happened, where to read more, and what to do."""
