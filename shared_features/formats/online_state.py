"""The online store: its keys, and what lies under each.

    {millrace:machine_heat:v1:3}:meta        the shard's meta (`shard_meta.py`)
    {millrace:machine_heat:v1:3}:e:<key>     one entity's state (`entity_state.py`), key as `entity_keys.py` spells it
    millrace:definition:machine_heat:v1      the definition that made the states, so that a change of it can be named

All keys of a shard share their hash tag, as a Redis Cluster asks of what is read or written in one step.
"""

from shared_features.definitions import FeatureGroup


def shard_tag(namespace: str, group_label: str, shard: int) -> str:
    """The hash tag that all keys of a shard begin with.

    >>> shard_tag("millrace", "machine_heat:v1", 3)
    '{millrace:machine_heat:v1:3}'
    """
    return f"{{{namespace}:{group_label}:{shard}}}"


def meta_key(namespace: str, group: FeatureGroup, shard: int) -> bytes:
    """The key of a shard's meta."""
    return f"{shard_tag(namespace, group.label, shard)}:meta".encode()


def entity_prefix(namespace: str, group: FeatureGroup, shard: int) -> bytes:
    """What the keys of a shard's entities begin with; the text of the entity's key follows."""
    return f"{shard_tag(namespace, group.label, shard)}:e:".encode()


def definition_key(namespace: str, group: FeatureGroup) -> bytes:
    """The key of the definition that made a group's states; its value is the text of `definitions.difference`."""
    return f"{namespace}:definition:{group.label}".encode()
