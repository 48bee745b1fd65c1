"""A topic that was deleted and re-created is another log: its offsets begin again where others are stored already.

Nobody goes on by himself. Appended to the table of the earlier topic, its events would have the positions of others.
"""

from __future__ import annotations

WAY_ON = (
    "Restore the topic; or give its event source another name, which has an events table of its own, and raise the "
    "versions of the groups it updates"
)


def what_was_recreated(topic: str, topic_id: str) -> str:
    """What to tell about the topic, after naming what holds the events of the earlier topic of its name."""
    return (
        f"holds events of another topic {topic} than the brokers' one, whose id is {topic_id}: it was deleted and made "
        f"anew. {WAY_ON}"
    )
