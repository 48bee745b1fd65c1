"""Writes `docs/settings.md` from the settings of the services: `python -m tests.architecture.settings_page`."""

from __future__ import annotations

import sys
from datetime import timedelta
from pathlib import Path

from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings

from serving.settings import ServingSettings
from streaming.settings import StreamingSettings
from training.settings import TrainingSettings

PAGE = Path(__file__).parents[2] / "docs" / "settings.md"
SERVICES: dict[str, type[BaseSettings]] = {
    "streaming": StreamingSettings,
    "training": TrainingSettings,
    "serving": ServingSettings,
}
PLAIN = {"kafka_bootstrap_servers": "KAFKA_BOOTSTRAP_SERVERS", "redis_url": "REDIS_URL"}

HEAD = """\
# Settings

How to set something: set the environment variable. Or write a TOML file, name it in `MILLRACE_SETTINGS`, and use the
name of the variable in lower case, without `MILLRACE_`, as the key. If both are set, the environment wins.

All programs share one set of names, and every program ignores the settings of the others. So one file can hold the
settings of all of them. `--help` of `python -m streaming`, `python -m training` and `python -m serving` shows the same
list. A program with a wrong value does not start, and names the setting. A variable that begins with `MILLRACE_`, or a
key of the file, must be a setting of some program. Otherwise the program does not start, and names the setting that was
probably meant. Durations are seconds, or ISO 8601 such as `PT10M`.
"""


def settings_page() -> str:
    """The page's text."""
    users: dict[str, list[str]] = {}
    for service, settings in SERVICES.items():
        for name in settings.model_fields:
            users.setdefault(name, []).append(service)
    sections = [("Shared", [name for name, services in users.items() if len(services) > 1])]
    sections += [(service.capitalize(), [n for n in users if users[n] == [service]]) for service in SERVICES]
    text = HEAD
    for title, names in sections:
        text += f"\n## {title}\n\n| variable | default | what it is |\n|---|---|---|\n"
        text += "".join(_row(name, SERVICES[users[name][0]].model_fields[name], users[name]) for name in names)
    return text


def _row(name: str, field: FieldInfo, services: list[str]) -> str:
    value = field.get_default(call_default_factory=True, validated_data={})
    shown = "" if value in (None, (), {}) else f"`{value}`"
    if isinstance(value, timedelta):
        shown = f"{value.total_seconds():g} s"
    used_by = f" ({', '.join(services)})" if 1 < len(services) < len(SERVICES) else ""
    description = (field.description or "").replace("|", "\\|")
    return f"| `{PLAIN.get(name, 'MILLRACE_' + name.upper())}` | {shown} | {description}{used_by} |\n"


if __name__ == "__main__":
    PAGE.write_text(settings_page())
    sys.exit(0)
