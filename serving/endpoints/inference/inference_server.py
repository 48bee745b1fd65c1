"""What the protocol tells besides predictions: whether the server and a model are ready, and what a model takes."""

from __future__ import annotations

import importlib.metadata
from collections.abc import Mapping, Sequence
from typing import Annotated

import msgspec
from msgspec import UNSET, Meta, UnsetType

from serving.endpoints.health import Health
from serving.endpoints.inference.infer_answer import outputs_of
from serving.endpoints.inference.tensors import datatype_of
from serving.endpoints.served_view import ServedView
from serving.errors import UnknownViewError
from serving.models.model_choice import ModelChoice
from serving.request.body_faults import shortened
from serving.request.request_type import instance_fields
from shared_features.definitions import Field


class ServerMetadata(msgspec.Struct, frozen=True):
    """The server, and what it can do beyond the protocol."""

    name: Annotated[str, Meta(description="Always millrace.")]
    version: Annotated[str, Meta(description="The release of Millrace.")]
    extensions: Annotated[Sequence[str], Meta(description="Extensions of the protocol that are taken and given.")]


class TensorMetadata(msgspec.Struct, frozen=True):
    """An input or an output of a model."""

    name: Annotated[str, Meta(description="An input: the field of the request. An output: the member of a prediction.")]
    datatype: Annotated[str, Meta(description="The type of its values, by the protocol's names.")]
    shape: Annotated[Sequence[int], Meta(description="-1 stands for the number of instances.")]
    parameters: Annotated[
        Mapping[str, bool] | UnsetType, Meta(description="`optional`: the input may be left out, or have no value.")
    ] = UNSET


class ModelMetadata(msgspec.Struct, frozen=True):
    """A model: what it takes and answers."""

    name: Annotated[str, Meta(description="The model, as the request called it: its view.")]
    versions: Annotated[Sequence[str], Meta(description="The versions that answer: champion, and then challenger.")]
    platform: Annotated[str, Meta(description="Always onnx_onnxv1.")]
    inputs: Annotated[Sequence[TensorMetadata], Meta(description="The fields of an instance.")]
    outputs: Annotated[Sequence[TensorMetadata], Meta(description="The members of a prediction.")]


class InferenceServer:
    """Answers for all models. served: by the names that a model may be called."""

    def __init__(self, served: Mapping[str, ServedView], models: ModelChoice, health: Health) -> None:
        self._served, self._models, self._health = served, models, health

    def told(self) -> ServerMetadata:
        """What it is."""
        return ServerMetadata("millrace", importlib.metadata.version("millrace"), ["binary_tensor_data"])

    async def is_ready(self) -> bool:
        """Whether predictions of a model can be made."""
        return (await self._health.look()).status == "ready"

    async def is_model_ready(self, name: str, version: str | None) -> bool:
        """Whether predictions of this one can be made. Raises UnknownViewError, UnknownModelError."""
        found = self._of(name)
        state = (await self._health.look()).views.get(found.view.label)
        if state is None or state.status != "ready":
            return False
        self._models.of(found.view, version, _nobody)
        return True

    def model(self, name: str, version: str | None) -> ModelMetadata:
        """What a model takes and answers. Raises UnknownViewError, UnknownModelError, NoModelError."""
        found = self._of(name)
        champion = self._models.current(found.view)
        model = self._models.of(found.view, version or str(champion.version), _nobody)
        versions = [champion, self._models.challenger(found.view, champion)]
        return ModelMetadata(
            name,
            [str(each.version) for each in versions if each is not None],
            "onnx_onnxv1",
            list(map(_input, instance_fields(found.view))),
            [TensorMetadata(name, datatype, shape) for name, (datatype, shape) in outputs_of(model).items()],
        )

    def _of(self, name: str) -> ServedView:
        view = self._models.answering(name)
        found = self._served.get(name if view is None else view.label)
        if found is None:
            known = sorted({each.view.name for each in self._served.values()})
            raise UnknownViewError(f"Unknown model {shortened(name)!r}. Ask for {', '.join(known)}.", views=known)
        return found


def _nobody() -> None:
    """No entity asks, so no share of them decides which model answers."""


def _input(field: Field) -> TensorMetadata:
    """A field as a tensor of one value per instance. A missing value is NaN, or null, or the input is left out."""
    return TensorMetadata(field.name, datatype_of(field), [-1], {"optional": True} if field.optional else UNSET)
