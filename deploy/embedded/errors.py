"""What keeps an embedded part from running, as one message for the person who started it."""


class EmbeddedError(RuntimeError):
    """An embedded part is missing, did not start or ended; the message says which one and what to do."""
