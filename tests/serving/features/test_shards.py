"""What a shard and an entity say that cannot be used: the answer names it, and other requests are answered."""

import asyncio

import pytest
from structlog.testing import capture_logs

from shared_features.formats.online_state import meta_key
from shared_features.formats.shard_meta_bytes import encode_meta
from tests.domains.machines import HOT_PLANT
from tests.serving.asking import PATH, ask, problem
from tests.serving.conftest import INSTANCE
from tests.serving.stored_states import NAMESPACE, shard_meta


def test_a_group_that_was_never_streamed_is_503_catching_up(serving, store):
    del store.values[meta_key(NAMESPACE, HOT_PLANT, 0)]
    members = problem(ask(serving, {"instances": [INSTANCE]}), "catching-up")
    assert members["group"] == "hot_plant"
    assert "python -m streaming run" in members["detail"]


def test_a_shard_that_is_behind_is_503_catching_up(serving, store):
    store.values[meta_key(NAMESPACE, HOT_PLANT, 0)] = encode_meta(shard_meta(HOT_PLANT, 0, behind=True))
    assert "caught up" in problem(ask(serving, {"instances": [INSTANCE]}), "catching-up")["detail"]


def test_a_shard_of_another_definition_is_not_served_from(serving, store):
    store.values[meta_key(NAMESPACE, HOT_PLANT, 0)] = encode_meta(shard_meta(HOT_PLANT, 0, fingerprint="other"))
    assert "another definition" in problem(ask(serving, {"instances": [INSTANCE]}), "catching-up")["detail"]


DAMAGES = {
    "schema": lambda value: b"\xfe" + value[1:],
    "build": lambda value: value[:1] + bytes([value[1] ^ 1]) + value[2:],
    "cut": lambda value: value[:-1],
    "a bit": lambda value: value[:-9] + bytes([value[-9] ^ 4]) + value[-8:],
    "x": lambda value: b"x",
    "empty": lambda value: b"",
}


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
def test_a_damaged_entity_spoils_only_the_requests_that_name_it(serving, store, damage):
    key = next(key for key in store.values if b":e:" in key and key.endswith(b"press\\|1"))
    store.values[key] = damage(store.values[key])
    with capture_logs() as lines:
        members = problem(ask(serving, {"instances": [INSTANCE]}), "unreadable-state")
    assert "cannot be read" in members["detail"]
    assert members["group"] == "machine_heat"
    assert [(line["log_level"], line["key"]) for line in lines if line["log_level"] == "error"] == [
        ("error", key.decode())
    ]

    async def together():
        async with serving() as client:
            good = INSTANCE | {"machine": "press|2"}
            return await asyncio.gather(*(client.post(PATH, json={"instances": [each]}) for each in (INSTANCE, good)))

    bad, good = asyncio.run(together())
    assert (bad.status_code, good.status_code) == (503, 200)


def test_the_meta_of_another_shard_is_not_served_from(serving, store):
    store.values[meta_key(NAMESPACE, HOT_PLANT, 0)] = encode_meta(shard_meta(HOT_PLANT, 1))
    with capture_logs() as lines:
        members = problem(ask(serving, {"instances": [INSTANCE]}), "unreadable-state")
    assert ":1}:meta" in members["detail"]
    assert [line["event"] for line in lines if line["log_level"] == "error"] == [
        "refusing a shard whose meta cannot be read"
    ]
