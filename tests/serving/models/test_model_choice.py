"""Which model answers: the champion, the challenger for its share of the entities, or the one that a header names."""

import asyncio

import pytest

from serving.models.model_choice import MODEL_HEADER
from serving.problems import NO_STORE
from tests.domains.machines import BREAKDOWN
from tests.serving.asking import PATH, problem
from tests.serving.conftest import INSTANCE
from tests.serving.published_models import publish
from training.registry.aliases import Aliases
from training.registry.versions import Registry


@pytest.fixture
def registry(tmp_path):
    """Version 1 is the champion, version 2 the challenger, version 3 neither."""
    for seed in range(3):
        publish(tmp_path, BREAKDOWN, seed, promote=False)
    aliases = Aliases(Registry(tmp_path))
    aliases.promote("breakdown", 1)
    aliases.promote("breakdown", 2, "challenger")
    return tmp_path


def machine(number):
    return INSTANCE | {"machine": f"press|{number}"}


async def version_of(client, instance=INSTANCE, **headers):
    answer = await client.post(PATH, json={"instances": [instance]}, headers=headers)
    assert answer.status_code == 200, answer.text
    return answer.json()["model"]["version"]


def asked(serving, work, **settings):
    async def once():
        async with serving(**settings) as client:
            return await work(client)

    return asyncio.run(once())


def test_the_champion_answers_unless_a_header_names_another_one(serving, registry):
    async def work(client):
        named = [await version_of(client, **{MODEL_HEADER: name}) for name in ("champion", "challenger", "2", "1")]
        return await version_of(client), named

    assert asked(serving, work, registry=registry) == (1, [1, 2, 2, 1])


@pytest.mark.parametrize("named", ["3", "candidate", "", "02", "\x81" * 400])
def test_a_model_that_neither_alias_names_is_refused_with_the_names_that_there_are(serving, registry, named):
    async def work(client):
        return await client.post(
            PATH, json={"instances": [INSTANCE]}, headers={MODEL_HEADER.encode(): named.encode("latin-1")}
        )

    refused = asked(serving, work, registry=registry)
    detail = problem(refused, "unknown-model")["detail"]
    assert "Ask for one of champion, 1, challenger, 2, or for none in particular." in detail
    assert len(detail) < 400
    assert NO_STORE[1].decode() == refused.headers["cache-control"]


def test_an_entity_is_always_answered_by_the_same_version_and_the_challenger_has_its_share(serving, registry):
    """Neither a restart nor another process moves an entity: who retries meets the same model."""

    async def work(client):
        return [await version_of(client, machine(number)) for number in range(300)]

    first, again = (asked(serving, work, registry=registry, challenger_share=0.3) for _ in range(2))
    assert first == again
    assert 0.2 < first.count(2) / 300 < 0.4


@pytest.mark.parametrize(("share", "version"), [(0.0, 1), (1.0, 2)])
def test_none_of_the_entities_and_all_of_them_can_be_its_share(serving, registry, share, version):
    async def work(client):
        return {await version_of(client, machine(number)) for number in range(20)}

    assert asked(serving, work, registry=registry, challenger_share=share) == {version}


def test_a_challenger_ends_with_its_alias_and_another_one_begins_without_a_restart(serving, registry):
    aliases = Aliases(Registry(registry))

    async def until(client, version):
        async with asyncio.timeout(60):
            while await version_of(client) != version:
                await asyncio.sleep(0.02)

    async def work(client):
        await until(client, 2)
        aliases.promote("breakdown", 3, "challenger")
        await until(client, 3)
        aliases.remove("breakdown", "challenger")
        await until(client, 1)
        refused = await client.post(PATH, json={"instances": [INSTANCE]}, headers={MODEL_HEADER: "challenger"})
        return problem(refused, "unknown-model")["detail"]

    assert "Ask for one of champion, 1, or for none" in asked(serving, work, registry=registry, challenger_share=1.0)


def test_a_challenger_that_was_refused_is_told_and_the_champion_answers_everybody(serving, registry):
    (registry / "breakdown" / "2" / "model.onnx").write_bytes(b"broken")

    async def work(client):
        ready = await client.get("/health/ready")
        return await version_of(client), ready.status_code, ready.json()["refused"]

    version, status, refused = asked(serving, work, registry=registry, challenger_share=1.0)
    assert (version, status) == (1, 200)
    (line,) = refused
    assert line.startswith("Model breakdown 2 of view breakdown:v1 was refused, there is no challenger: ")


def test_without_an_alias_for_challengers_there_are_none(serving, registry):
    async def work(client):
        refused = await client.post(PATH, json={"instances": [INSTANCE]}, headers={MODEL_HEADER: "challenger"})
        problem(refused, "unknown-model")
        return await version_of(client)

    assert asked(serving, work, registry=registry, challenger_alias="", challenger_share=1.0) == 1
