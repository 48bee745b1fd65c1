"""The page of settings says what the programs do, and a name means one thing in all of them."""

from shared_features.settings.setting_names import SETTING_NAMES
from tests.architecture.settings_page import PAGE, SERVICES, settings_page


def test_the_page_is_written_from_the_settings() -> None:
    assert PAGE.read_text() == settings_page(), "run: ./run exec python -m tests.architecture.settings_page"


def test_a_setting_has_one_default_in_all_services() -> None:
    seen: dict[str, tuple[str, object]] = {}
    for service, settings in SERVICES.items():
        for name, field in settings.model_fields.items():
            default = field.get_default(call_default_factory=True, validated_data={})
            other, value = seen.setdefault(name, (service, default))
            assert value == default, f"{name}: {service} says {default!r}, {other} says {value!r}"


def test_the_list_of_names_is_that_of_all_services() -> None:
    assert {name for settings in SERVICES.values() for name in settings.model_fields} == SETTING_NAMES


def test_every_setting_says_what_it_is() -> None:
    for service, settings in SERVICES.items():
        for name, field in settings.model_fields.items():
            assert field.description, f"{service}: {name}"
