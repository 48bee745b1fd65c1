"""The settings of a serving process, from the environment, a TOML file or the command line."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

from pydantic import AliasChoices, Field, ValidationError, field_validator
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    SettingsError,
    TomlConfigSettingsSource,
)

from serving.errors import WrongSettingError
from shared_features.settings.redis_url import url_fault
from shared_features.settings.setting_names import FILE_VARIABLE, PREFIX, misspelt_settings


class ServingSettings(BaseSettings):
    """Every setting is an environment variable `MILLRACE_<NAME>`, a key of the TOML file that `MILLRACE_SETTINGS`
    names, and an option. Options win over the environment, the environment over the file. `REDIS_URL` has no prefix.
    """

    model_config = SettingsConfigDict(
        env_prefix=PREFIX,
        frozen=True,
        extra="ignore",  # the file holds the settings of all programs
        validate_by_name=True,
        cli_kebab_case=True,
        cli_prog_name="python -m serving",
        cli_hide_none_type=True,
        cli_avoid_json=True,
    )

    definitions: str = Field("shared_features.feature_views", description="Module that holds the definitions.")
    redis_url: str = Field(
        "redis://localhost:6379/0",
        validation_alias=AliasChoices("redis_url", "MILLRACE_REDIS_URL", "REDIS_URL"),
        description="URL of the Redis server that holds the online store: redis://, rediss:// or unix://, with user, "
        "password and database. TLS options (ssl_ca_certs=...) may follow a `?`; other options are refused.",
    )
    redis_namespace: str = Field("millrace", min_length=1, description="First part of every key in Redis.")
    registry: Path = Field(Path("var/registry"), description="Directory of the model registry.")
    log_format: Literal["auto", "human", "json"] = Field(
        "auto", description="Form of the log lines. auto: human on a terminal, json elsewhere."
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field("info", description="Lowest level that is logged.")

    serving_host: str = Field("127.0.0.1", description="Address to listen on. 0.0.0.0 listens on all addresses.")
    serving_port: int = Field(8000, ge=0, le=65_535, description="Port to listen on. 0 takes a free port.")
    serving_workers: int = Field(1, ge=1, le=256, description="Number of processes that answer requests.")
    serving_keep_alive_s: int = Field(
        75,
        ge=0,
        le=3600,
        description="How long a connection without a request stays open, in seconds. Set it longer than the proxy in "
        "front does (often 60), or requests meet a closed connection.",
    )
    serving_drain_s: float = Field(
        3.0,
        ge=0,
        le=600,
        description="How long a process continues to answer after SIGTERM, in seconds. Readiness turns at once, and "
        "each answer ends its connection. Set it to the time in which your balancer notices. 0 ends without it.",
    )
    serving_receive_s: float = Field(
        10.0,
        gt=0,
        le=3600,
        description="How long a client may take to send the head of a request, and then its body, in seconds. Then it "
        "is answered with 408. A connection on which nothing was ever sent is closed.",
    )
    serving_answer_s: float = Field(
        30.0,
        gt=0,
        le=3600,
        description="How long a request may take to be answered, and a client to read its answer, in seconds. Then the "
        "connection is closed.",
    )
    serving_max_head_bytes: int = Field(
        65_536,
        ge=4096,
        le=16_777_216,
        description="Longest head of a request: its path and headers. A longer one is answered with 431.",
    )
    serving_max_connections: int = Field(
        4096,
        ge=1,
        le=1_000_000,
        description="Most connections of one process; fewer where the limit of open files (`ulimit -n`) is lower. Then "
        "those that have waited longest for their client are closed. If all are at work, the new one is answered with "
        "503.",
    )
    serving_deadline_ms: float = Field(
        100.0,
        gt=0,
        le=60_000,
        description="How long a request waits for the online store, in milliseconds. Then it is answered with 503.",
    )
    serving_model_deadline_ms: float = Field(
        1000.0,
        gt=0,
        le=600_000,
        description="How long a model may take for one request, in milliseconds. Then the request is answered with 503. "
        "A model that takes longer for a single instance when it is loaded does not answer at all.",
    )
    serving_max_instances: int = Field(256, ge=1, le=10_000, description="Most instances in one request.")
    serving_max_waiting: int = Field(
        4096, ge=1, description="Most instances that wait in one process. More are answered with 503."
    )
    serving_max_wait_ms: float = Field(
        1000.0,
        gt=0,
        le=600_000,
        description="How long a request may wait in one process before it is computed, in milliseconds. Then it is "
        "answered with 503, and so are those that come while it waits. Under overload the others are still answered "
        "soon.",
    )
    allow_degraded: bool = Field(
        False,
        description="Whether to predict without stored features when the online store cannot answer. Such answers are "
        "marked degraded. Otherwise they are a 503.",
    )
    model_alias: str = Field("champion", min_length=1, description="Alias of the model version that answers.")
    answering_models: Mapping[str, str] = Field(
        {},
        description="Which model answers for a view, where the model is not called like its view, as a JSON object: "
        '{"orders": "small_trees"}.',
    )
    model_poll_s: float = Field(1.0, gt=0, le=3600, description="How often the registry is read, in seconds.")

    @field_validator("redis_url")
    @classmethod
    def _a_url_of_redis(cls, value: str) -> str:
        if wrong := url_fault(value):
            raise ValueError(wrong)
        return value

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
        if not file:
            return init_settings, env_settings
        if not Path(file).is_file():
            raise WrongSettingError(f"{FILE_VARIABLE} names {file!r}, and there is no such file. Correct or unset it.")
        return init_settings, env_settings, TomlConfigSettingsSource(settings_cls, toml_file=file)

    def environment(self) -> dict[str, str]:
        """The variables under which a worker process reads these very settings."""
        values = {name: value for name, value in self.model_dump(mode="json").items() if value is not None}
        texts = {name: value if isinstance(value, str) else json.dumps(value) for name, value in values.items()}
        return {"REDIS_URL" if name == "redis_url" else PREFIX + name.upper(): text for name, text in texts.items()}


def load_settings(arguments: Sequence[str] | None = None, **given: Any) -> ServingSettings:
    """The settings; with `arguments` (a command line) its options win. Raises WrongSettingError."""
    options: dict[str, Any] = {} if arguments is None else {"_cli_parse_args": list(arguments)}
    try:
        settings = ServingSettings(**options, **given)
    except ValidationError as error:
        raise WrongSettingError(" ".join(_sentence(each) for each in error.errors())) from error
    except (SettingsError, ValueError) as error:
        raise WrongSettingError(f"Settings cannot be read: {error}") from error
    file = os.environ.get(FILE_VARIABLE)
    if faults := misspelt_settings(os.environ, Path(file).read_text() if file else ""):
        raise WrongSettingError(". ".join(faults) + ".")
    return settings


def _sentence(error: Any) -> str:
    name = str(error["loc"][0]).lower()
    if name.endswith("redis_url"):  # its value has a password, and is not shown
        return f"Setting redis_url (REDIS_URL) is wrong. {error['msg'].removeprefix('Value error, ')}."
    variable = PREFIX + name.upper()
    return f"Setting {name} ({variable}) is {error['input']!r}. {error['msg']}."
