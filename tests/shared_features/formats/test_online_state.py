"""Keys of the online store."""

from shared_features.formats.online_state import entity_prefix, meta_key
from tests.domains.machines import MACHINE_HEAT


def test_all_keys_of_a_shard_share_their_hash_tag() -> None:
    group = MACHINE_HEAT
    tag = f"{{millrace:{group.name}:v{group.version}:3}}".encode()
    assert meta_key("millrace", group, 3) == tag + b":meta"
    assert entity_prefix("millrace", group, 3) == tag + b":e:"
