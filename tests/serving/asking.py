"""One request to the whole service, and the problem that it answers, checked against the one table."""

import asyncio

from serving.problems import PROBLEMS
from tests.serving.conftest import INSTANCE

PATH = "/v1/views/breakdown:predict"


def ask(serving, body=None, path=PATH, content=None, **settings):
    async def once():
        async with serving(**settings) as client:
            return await client.post(path, json=body) if content is None else await client.post(path, content=content)

    return asyncio.run(once())


def problem(response, name):
    """The answer's members, checked against the one table."""
    row = next(each for each in PROBLEMS.values() if each.name == name)
    assert response.status_code == row.status
    assert response.headers["content-type"] == "application/problem+json"
    assert response.headers.get("retry-after") == (None if row.retry_after_s is None else str(row.retry_after_s))
    members = response.json()
    assert (members["type"], members["title"], members["status"]) == (f"/docs#{name}", row.title, row.status)
    return members


def without(name):
    return {key: value for key, value in INSTANCE.items() if key != name}
