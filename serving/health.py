"""Health: whether the process answers, and whether predictions can be made."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Literal

import msgspec
from fastapi import APIRouter, Response
from msgspec import Meta

from serving.errors import NoModelError, OnlineStoreError, RefusedRequestError
from serving.live_features import problems_of
from serving.models import Models
from serving.online_store import OnlineStore
from serving.predict_endpoint import ServedView


class Live(msgspec.Struct, frozen=True):
    """The process answers."""

    status: Annotated[Literal["live"], Meta(description="Always live.")]


class Readiness(msgspec.Struct, frozen=True):
    """Whether predictions can be made, and why not."""

    status: Annotated[Literal["ready", "not ready"], Meta(description="ready: predictions can be made.")]
    missing: Annotated[Sequence[str], Meta(description="Why predictions cannot be made, a sentence per reason.")]
    waiting: Annotated[
        Sequence[str],
        Meta(description="New model versions that do not answer yet, because their features are not up to date."),
    ]
    broken: Annotated[
        Sequence[str],
        Meta(description="Views whose requests are refused, because an on-demand function of theirs does not work."),
    ]


def health_router(served: Sequence[ServedView], store: OnlineStore, models: Models) -> APIRouter:
    """The routes `/health/live` and `/health/ready`."""
    router = APIRouter()
    broken = [each.broken for each in served if each.broken]
    sound = [each for each in served if not each.broken]

    @router.api_route("/health/live", methods=["GET", "HEAD"])
    async def live() -> Response:
        return _json(Live("live"), 200)

    @router.api_route("/health/ready", methods=["GET", "HEAD"])
    async def ready() -> Response:
        used = _in_use(sound, models)
        missing = await _missing_in_store(used, store)
        missing += _missing_models(used, models, also_waiting=not missing)
        if not sound:
            missing = broken
        readiness = Readiness("not ready" if missing else "ready", missing, models.waiting(), broken)
        return _json(readiness, 503 if missing else 200)

    return router


def _json(body: msgspec.Struct, status: int) -> Response:
    return Response(msgspec.json.encode(body), status, media_type="application/json")


def _in_use(served: Sequence[ServedView], models: Models) -> list[ServedView]:
    """Of each view the version that answers to its name, or the newest while no model answers.

    Other versions of a view may lack features or a model without harm.
    """
    by_name = {each.view.name: each for each in sorted(served, key=lambda each: each.view.version)}
    answering = {name: models.answering(name) or each.view for name, each in by_name.items()}
    return [each for each in served if each.view == answering[each.view.name]]


async def _missing_in_store(used: Sequence[ServedView], store: OnlineStore) -> list[str]:
    shards = {shard.meta_key: shard for each in used for shard in each.vectors.shards}
    try:
        problems = await problems_of(store, list(shards.values()))
    except OnlineStoreError as error:
        return [error.detail]
    return list(dict.fromkeys(problem for _, problem in problems))


def _missing_models(used: Sequence[ServedView], models: Models, *, also_waiting: bool) -> list[str]:
    """also_waiting: models that wait for their features are named too, where the store named no shard."""
    missing = []
    for each in used:
        try:
            models.current(each.view)
        except NoModelError as error:
            missing.append(error.detail)
        except RefusedRequestError as error:
            missing += [error.detail] if also_waiting else []
    return missing
