"""A topic that was deleted and made anew is another log: its offsets begin again where others are stored already.

Nobody goes on by himself. Appended to the table of the one before, its events would have the positions of others.
"""

from __future__ import annotations

from deltalake import DeltaTable

from shared_features.formats.offline_tables import WATERMARK_APP, partitions_app

WAY_ON = (
    "Restore the topic; or give its event source another name, which has an events table of its own, and raise the "
    "versions of the groups it updates"
)


def is_replaced(table: DeltaTable, topic: str, topic_id: str) -> bool:
    """Whether an events table, whose source reads a topic of this name, has positions but none of this topic's id."""
    begun = table.transaction_version(WATERMARK_APP) is not None
    return begun and table.transaction_version(partitions_app(topic, topic_id)) is None


def what_was_replaced(topic: str, topic_id: str) -> str:
    """What to tell about it, after naming what holds the events of the one before."""
    return (
        f"holds events of another topic {topic} than the brokers' one, whose id is {topic_id}: it was deleted and made "
        f"anew. {WAY_ON}"
    )
