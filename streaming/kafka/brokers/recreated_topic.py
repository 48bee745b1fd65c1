"""A topic that was deleted and re-created is another log: its offsets begin again, at positions that are stored
already.

No program continues by itself. In the table of the earlier topic, the new events would have the positions of others.
"""

from __future__ import annotations

WAY_ON = (
    "Restore the topic; or give its event source another name, which starts a new events table, and raise the versions "
    "of the groups that the source updates"
)


def what_was_recreated(topic: str, topic_id: str) -> str:
    """The message for a person, to be put after the name of what holds events of the earlier topic."""
    return (
        f"holds events of an earlier topic {topic}. That topic was deleted and re-created; its id is now {topic_id}. "
        f"{WAY_ON}"
    )
