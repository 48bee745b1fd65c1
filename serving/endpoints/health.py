"""Health: whether the process answers, and whether predictions can be made."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Literal

import msgspec
from fastapi import APIRouter, Response
from msgspec import Meta

from serving.connections.drain import Drain
from serving.endpoints.served_view import ServedView
from serving.errors import NoModelError, OnlineStoreError, RefusedRequestError
from serving.features.live_features import problems_of
from serving.models.model import Models
from serving.online_store.online_store import OnlineStore

STOPPING = "This process is stopping. Send requests to another one."


class Live(msgspec.Struct, frozen=True):
    """The process answers."""

    status: Annotated[Literal["live"], Meta(description="Always live.")]


class ViewReadiness(msgspec.Struct, frozen=True):
    """Whether predictions of one view can be made, and why not."""

    status: Annotated[Literal["ready", "not ready"], Meta(description="ready: predictions of the view can be made.")]
    missing: Annotated[Sequence[str], Meta(description="Why they cannot be made, a sentence per reason.")]


class Readiness(msgspec.Struct, frozen=True):
    """Whether predictions can be made, and why not."""

    status: Annotated[
        Literal["ready", "not ready"], Meta(description="ready: predictions of at least one view can be made.")
    ]
    missing: Annotated[
        Sequence[str], Meta(description="Why predictions cannot be made, of all views, a sentence per reason.")
    ]
    waiting: Annotated[
        Sequence[str],
        Meta(
            description="New model versions that do not answer yet, because their features are not up to date; and "
            "that the registry does not answer, so that new versions are not seen."
        ),
    ]
    degraded: Annotated[
        Sequence[str],
        Meta(
            description="Why answers are made without some stored features, a sentence per reason. Only with "
            "allow_degraded; otherwise `missing` has it."
        ),
    ]
    refused: Annotated[
        Sequence[str],
        Meta(description="Published model versions that were not loaded, and why. The previous ones still answer."),
    ]
    broken: Annotated[
        Sequence[str],
        Meta(description="Views whose requests are refused, because an on-demand function of theirs does not work."),
    ]
    views: Annotated[Mapping[str, ViewReadiness], Meta(description="The same by view, without the broken ones.")]


class Health:
    """Whether predictions can be made.

    allow_degraded: views whose stored features cannot be used are answered for, so this does not make them unready.
    """

    def __init__(
        self, served: Sequence[ServedView], store: OnlineStore, models: Models, drain: Drain, *, allow_degraded: bool
    ) -> None:
        self._broken = [each.broken for each in served if each.broken]
        self._sound = [each for each in served if not each.broken]
        self._store, self._models, self._drain, self._allow_degraded = store, models, drain, allow_degraded

    async def look(self) -> Readiness:
        """As it is now."""
        used, models = _in_use(self._sound, self._models), self._models
        if self._drain.is_on:
            missing, degraded = {each.view.label: [STOPPING] for each in used}, list[str]()
        else:
            missing, degraded = await _missing(used, self._store, models, self._allow_degraded)
        views = {label: ViewReadiness("not ready" if each else "ready", each) for label, each in missing.items()}
        every = [reason for each in missing.values() for reason in each]
        reasons = list(dict.fromkeys(every)) if self._sound else self._broken
        status: Literal["ready", "not ready"] = "not ready" if all(missing.values()) else "ready"
        return Readiness(status, reasons, models.waiting(), degraded, models.refused(), self._broken, views)


def health_router(health: Health) -> APIRouter:
    """The routes `/health/live` and `/health/ready`."""
    router = APIRouter()

    @router.api_route("/health/live", methods=["GET", "HEAD"])
    async def live() -> Response:
        return _json(Live("live"), 200)

    @router.api_route("/health/ready", methods=["GET", "HEAD"])
    async def ready() -> Response:
        told = await health.look()
        return _json(told, 200 if told.status == "ready" else 503)

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


async def _missing(
    used: Sequence[ServedView], store: OnlineStore, models: Models, allow_degraded: bool
) -> tuple[dict[str, list[str]], list[str]]:
    """Per view, why it cannot answer; and why answers are degraded, where they may be."""
    stored = await _stored(used, store)
    unready = {label: [] if allow_degraded else reasons for label, reasons in stored.items()}
    missing = {
        each.view.label: unready[each.view.label] + _missing_model(each, models, stored=not unready[each.view.label])
        for each in used
    }
    every = list(dict.fromkeys(reason for reasons in stored.values() for reason in reasons))
    return missing, every if allow_degraded else []


async def _stored(used: Sequence[ServedView], store: OnlineStore) -> dict[str, list[str]]:
    """Per view, why its stored features cannot be used."""
    shards = {shard.meta_key: shard for each in used for shard in each.vectors.shards}
    try:
        problems = {shard.meta_key: problem for shard, problem in await problems_of(store, list(shards.values()))}
    except OnlineStoreError as error:
        return {each.view.label: [error.detail] for each in used}
    return {
        each.view.label: list(
            dict.fromkeys(problems[shard.meta_key] for shard in each.vectors.shards if shard.meta_key in problems)
        )
        for each in used
    }


def _missing_model(served: ServedView, models: Models, *, stored: bool) -> list[str]:
    """stored: a model that waits for its features is named too, where the store named no shard of the view."""
    try:
        models.current(served.view)
    except NoModelError as error:
        return [error.detail]
    except RefusedRequestError as error:
        return [error.detail] if stored else []
    return []
