"""The settings of training: environment variables `MILLRACE_...` over the TOML file that `MILLRACE_SETTINGS` names."""

from __future__ import annotations

import os
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AliasChoices, BeforeValidator, Field, ValidationError
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from shared_features.access.oidc.trusted_issuer import DEFAULT_SCOPES
from shared_features.settings.durations import in_seconds
from shared_features.settings.registry_place import registry_place, without_user
from shared_features.settings.setting_names import FILE_VARIABLE, PREFIX, misspelt_settings
from training.errors import TrainingError

Duration = Annotated[timedelta, BeforeValidator(in_seconds)]
"""Seconds, or a text such as PT10M or 01:30:00."""


class TrainingSettings(BaseSettings):
    """What a machine decides, as opposed to a run: places, logs, and what streaming was told too."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, frozen=True, extra="ignore", env_ignore_empty=True)

    definitions: str = Field("shared_features.feature_views", description="module with the feature views")
    models: str = Field(
        "", description="module with the models; empty: the module `models` beside the definitions, if there is one"
    )
    lake: Path = Field(Path("var/lake"), description="directory of the offline store's Delta tables")
    registry: Annotated[Path | str, BeforeValidator(registry_place)] = Field(
        Path("var/registry"),
        description="directory of the model registry, or its URL on object storage: s3://bucket/prefix",
    )
    scoring: Path = Field(
        Path("var/scoring"), description="directory with the files that batch scoring by `serve` reads and writes"
    )
    training_runs: Path = Field(Path("var/training"), description="directory of the runs' intermediate results")
    training_runs_kept: int = Field(3, ge=1, description="how many runs keep their intermediate results")
    training_step_limit: Duration = Field(
        timedelta(hours=6), gt=timedelta(0), description="how long a step of a durable run may take"
    )
    training_steps_at_once: int = Field(
        2, ge=1, description="how many steps of a durable run are done at the same time, each in a process of its own"
    )
    runs_database: str = Field(
        "", description="PostgreSQL URL for durable runs and schedules; empty: an SQLite file in MILLRACE_TRAINING_RUNS"
    )
    runs_recorded: int = Field(
        1_000,
        ge=1,
        description="how many ended runs, and ticks of each schedule, the database keeps, however old they are",
    )
    runs_recorded_for: Duration = Field(
        timedelta(days=7),
        ge=timedelta(days=2),  # news of the last day is told once, because the database knows it
        description="how long the database keeps each ended run and each tick, however many there are",
    )
    runs_host: str = Field(
        "127.0.0.1",
        description="address on which `serve` answers; another one needs api_keys_file or oidc_issuer",
    )
    runs_port: int = Field(
        8088, ge=0, le=65_535, description="port of `serve` for REST and its page; 0: it answers nobody"
    )
    api_keys_file: Path | None = Field(
        None,
        description="file of API keys, which `keys new` writes; without it, and without oidc_issuer, everybody on this "
        "machine may ask `serve`",
    )
    oidc_issuer: str | None = Field(
        None,
        description="issuer of bearer tokens that are accepted beside API keys: the address that tokens have as `iss`. "
        "See `millrace[oidc]`",
    )
    oidc_audience: str | None = Field(None, description="what those tokens must have as `aud`, or in its list")
    oidc_claim: str = Field(
        "scope",
        min_length=1,
        description="claim of a token that says what its subject may do: a text with spaces, or a list. "
        "`realm_access.roles` is a claim inside another",
    )
    oidc_scopes: Mapping[str, str] = Field(
        DEFAULT_SCOPES, description="scope of this service -> what the claim must hold for it, as a JSON object"
    )
    oidc_requests_per_s: float | None = Field(
        None, gt=0, description="most requests a second of one subject, in each process"
    )
    oidc_rows_per_s: float | None = Field(None, gt=0, description="the same for instances")
    tls_certificate: Path | None = Field(
        None,
        description="PEM file of the certificate for HTTPS, and then its issuers; it is read again when it changes",
    )
    tls_key: Path | None = Field(None, description="PEM file of the private key of tls_certificate, without a password")
    runs_webhook: str = Field(
        "",
        pattern="^(https?://.*)?$",
        description="http or https address that `serve` sends news to, as Slack reads them",
    )
    mlflow: str = Field(
        "", description="MLflow server, or a folder, that each run is written to; empty: none. See `millrace[mlflow]`"
    )
    traces: bool = Field(
        False,
        description="whether to send OpenTelemetry traces, of runs and of requests, by OTLP over HTTP, to where the "
        "standard variables OTEL_EXPORTER_OTLP_... say. See `millrace[otel]`",
    )
    champion_age_limit: Duration = Field(
        timedelta(0), ge=timedelta(0), description="age of a champion from which on it is news; 0: never"
    )
    allowed_lateness: Duration = Field(
        timedelta(minutes=10),
        ge=timedelta(0),
        description="the allowed lateness that materialize runs with; feature rows younger than this wait",
    )
    spine_events_at_once: int = Field(
        2_000_000,
        ge=1,
        description="how many events the features of a spine are computed from at a time; fewer need less memory",
    )
    audit_predictions_at_once: int = Field(
        150_000,
        ge=1,
        description="how many predictions `audit` computes together, while as many are read; fewer need less memory, "
        "and more time",
    )
    kafka_bootstrap_servers: str = Field(
        "localhost:9092",
        validation_alias=AliasChoices(
            "kafka_bootstrap_servers", f"{PREFIX}KAFKA_BOOTSTRAP_SERVERS", "KAFKA_BOOTSTRAP_SERVERS"
        ),
        description="Kafka brokers, host:port, separated by commas, for `audit --scores`",
    )
    kafka_options: Mapping[str, str] = Field(
        {}, description="more options of librdkafka, as JSON, such as security.protocol"
    )
    score_topics: Mapping[str, str] = Field(
        {}, description="topic of the scores of each view that the stream job scores, as a JSON object"
    )
    log_format: Literal["auto", "human", "json"] = Field("auto", description="auto: human on a terminal, else json")
    log_level: Literal["debug", "info", "warning", "error"] = Field("info", description="least level that is logged")

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        file = os.environ.get(FILE_VARIABLE)
        sources = (init_settings, env_settings)
        return (*sources, TomlConfigSettingsSource(settings_cls, Path(file))) if file else sources


def load_settings() -> TrainingSettings:
    """The settings of this process. Raises TrainingError that names each wrong value and where to set it."""
    file = os.environ.get(FILE_VARIABLE)
    if file and not Path(file).is_file():
        raise TrainingError(f"{FILE_VARIABLE} names {file!r}, which is not a file. Correct the variable, or unset it.")
    try:
        settings = TrainingSettings()  # type: ignore[call-arg]  # every field has a default, read from the environment
    except ValidationError as error:
        faults = [
            f"{PREFIX}{'.'.join(map(str, each['loc'])).upper()} is {without_user(repr(each['input']))}: {each['msg']}"
            for each in error.errors()
        ]
        raise TrainingError(
            ". ".join(faults) + f". Correct it in the environment, or in the file of {FILE_VARIABLE}."
        ) from error
    except ValueError as error:  # a file that is not TOML
        raise TrainingError(
            f"The settings cannot be read: {error}. Correct the environment, or the file of {FILE_VARIABLE}."
        ) from error
    if faults := misspelt_settings(os.environ, Path(file).read_text() if file else ""):
        raise TrainingError(". ".join(faults) + ".")
    return settings


def describe_settings() -> str:
    """The settings with their defaults and meaning, one after the other, for `--help`."""
    lines = ["settings, from the environment or, without MILLRACE_, from the TOML file that MILLRACE_SETTINGS names:"]
    for name, field in TrainingSettings.model_fields.items():
        lines += [f"  {PREFIX}{name.upper()}  [{field.default}]", f"      {field.description}"]
    return "\n".join(lines)
