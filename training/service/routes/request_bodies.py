"""The bodies of requests, as FastAPI describes and checks them. A misspelt or missing field is named."""

from __future__ import annotations

from typing import Any, Literal

import msgspec
from pydantic import BaseModel, Field, model_validator
from pydantic_core import PydanticCustomError

from shared_features.arguments import did_you_mean
from training.runs.plan.templates import TEMPLATES

_PARAMETERS = (
    "Parameters of the template: of `retrain` under the names of the options of `python -m training run`, of "
    "`batch-score` of those of `python -m training predict`."
)
_TYPED: Any = {"anyOf": list(msgspec.json.schema_components(TEMPLATES.values(), ref_template="{name}")[1].values())}
"""What either template takes."""


class Body(BaseModel):
    """A body whose fields are known."""

    @model_validator(mode="before")
    @classmethod
    def names_are_known(cls, given: Any) -> Any:
        """Raises PydanticCustomError that names the field and what to write."""
        if not isinstance(given, dict):
            return given
        names = list(cls.model_fields)
        for name in given:
            if name not in names:
                said = f"There is no field {name!r}. Fields: {', '.join(names)}.{did_you_mean(name, names)}"
                raise PydanticCustomError("millrace_unknown", "{said}", {"said": said, "path": f"$.{name}"})
        for name, field in cls.model_fields.items():
            if field.is_required() and name not in given:
                said = f"Field {name!r} is missing. Give it: {field.description}"
                raise PydanticCustomError("millrace_missing", "{said}", {"said": said, "path": f"$.{name}"})
        return given


class StartBody(Body):
    """A run to start."""

    template: str = Field(description="What to run: `retrain` or `batch-score`.", examples=["retrain", "batch-score"])
    parameters: dict[str, Any] = Field(
        {},
        description=_PARAMETERS,
        examples=[
            {"train_days": 14, "top": 50},
            {"model": "order_return", "spine": "orders.parquet", "output": "predicted.parquet"},
        ],
        json_schema_extra=_TYPED,
    )
    reason: str = Field("", description="Why it is started, for people.", examples=["the mean of 7 days drifted"])
    unless_waiting: bool = Field(
        False, description="Start none if one of the same template and parameters waits; the answer is that one."
    )


class ForkBody(Body):
    """A run on the data of another one, with other parameters from one of its steps on."""

    step: str = Field(description="The first step that is done again, such as `fit`.", examples=["fit"])
    parameters: dict[str, Any] = Field(
        {},
        description="The parameters that differ; those of earlier steps may not.",
        examples=[{"models": ["random_forest"]}],
    )


class ScheduleBody(Body):
    """When runs start by themselves."""

    cron: str = Field(description="minute hour day month weekday, such as `0 3 * * *`.", examples=["0 3 * * *"])
    template: str = Field("retrain", description="What to run.")
    parameters: dict[str, Any] = Field({}, description=_PARAMETERS, json_schema_extra=_TYPED)
    time_zone: str = Field("UTC", description="Time zone of the cron line.", examples=["Europe/Berlin"])
    new_labels: int = Field(0, description="Start a run only if so many labels arrived since the last one; 0: always.")
    new_partition: Literal["", "day", "hour"] = Field(
        "",
        description="Start a run only if a day or an hour (UTC) with events ended since the last one, and is stored "
        "whole; empty: always.",
        examples=["day"],
    )
