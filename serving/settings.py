"""The settings of a serving process, from the environment, a TOML file or the command line."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pydantic import ValidationError, field_validator
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    SettingsError,
    TomlConfigSettingsSource,
)

from serving.errors import WrongSettingError
from serving.setting_fields import SettingFields
from shared_features.settings.redis_url import url_fault
from shared_features.settings.registry_place import without_user
from shared_features.settings.setting_names import FILE_VARIABLE, PREFIX, misspelt_settings


class ServingSettings(SettingFields):
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
    return f"Setting {name} ({variable}) is {without_user(repr(error['input']))}. {error['msg']}."
