"""Settings of the streaming processes: environment variables `MILLRACE_*` over a TOML file.

`MILLRACE_SETTINGS` names the file. All programs of Millrace share one set of names, so one file may hold all settings.
`KAFKA_BOOTSTRAP_SERVERS` and `REDIS_URL` are also read without the prefix, as other tools do.
"""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

from pydantic import ValidationError, model_validator
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from shared_features.settings.redis_url import url_fault
from shared_features.settings.registry_place import without_user
from shared_features.settings.setting_names import FILE_VARIABLE, PREFIX, misspelt_settings
from streaming.errors import SettingsError
from streaming.setting_fields import SettingFields


class StreamingSettings(SettingFields):
    """One frozen set, read once at the start."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, frozen=True, extra="ignore", populate_by_name=True, env_ignore_empty=True
    )

    @model_validator(mode="after")
    def _consistent(self) -> StreamingSettings:
        if (self.topic_mode == "import") != (self.import_until is not None):
            raise ValueError("topic_mode=import needs import_until=<RFC 3339>, and the reverse. Set both or neither")
        if self.embedded_log is not None and self.topic_mode != "embedded":
            raise ValueError(
                f"embedded_log needs topic_mode=embedded, but topic_mode is {self.topic_mode}: other brokers keep the "
                "ids of their topics. Unset embedded_log"
            )
        if self.workers and self.worker >= len(self.workers):
            raise ValueError(f"worker is {self.worker}, but workers lists only {len(self.workers)}. Count from 0")
        return self

    @property
    def import_until_us(self) -> int | None:
        """Microseconds since the epoch, or None outside of mode import."""
        if self.import_until is None:
            return None
        return (self.import_until.astimezone(UTC) - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Arguments win over the environment. The environment wins over the file."""
        path = os.environ.get(FILE_VARIABLE)
        if not path:
            return init_settings, env_settings
        return init_settings, env_settings, TomlConfigSettingsSource(settings_cls, toml_file=Path(path))


def load_settings(**given: object) -> StreamingSettings:
    """The settings. `given` wins over environment and file. Raises SettingsError, which names each wrong setting."""
    path = os.environ.get(FILE_VARIABLE)
    if path and not Path(path).is_file():
        raise SettingsError(f"{FILE_VARIABLE} names {path}. There is no such file. Correct the variable or unset it")
    try:
        return StreamingSettings(**given)  # type: ignore[arg-type]  # pydantic checks them
    except ValidationError as error:
        raise SettingsError("; ".join(_faults(error))) from error
    except ValueError as error:  # a file that is not TOML, or a value that is not JSON
        raise SettingsError(
            f"The settings cannot be read: {error}. Correct the environment or {FILE_VARIABLE}"
        ) from error


def refuse_wrong_settings(settings: StreamingSettings) -> None:
    """Raise SettingsError for names that are not settings of any program, and for a URL of Redis that is wrong.

    The error names each variable and each key of the file. Apart from load_settings(), which every restarted child
    calls: the supervisor starts `check` first, and `check` calls this.
    """
    path = os.environ.get(FILE_VARIABLE)
    faults = misspelt_settings(os.environ, Path(path).read_text() if path else "")
    if wrong := url_fault(settings.redis_url):
        faults.append(f"REDIS_URL is wrong. {wrong}")
    if faults:
        raise SettingsError(". ".join(faults))


def _faults(error: ValidationError) -> list[str]:
    faults = []
    for each in error.errors():
        name = ".".join(map(str, each["loc"])) or "settings"
        found = "" if not each["loc"] else f", found {without_user(repr(each['input']))}"
        variable = name if name.upper() == name else f"{PREFIX}{name.upper()}"
        faults.append(f"{variable if each['loc'] else name}: {each['msg']}{found}")
    return faults
