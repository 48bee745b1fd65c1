"""A misspelt setting is named with the one that was meant, instead of being ignored."""

import pytest

from shared_features.settings.setting_names import SETTING_NAMES, misspelt_settings


def test_settings_of_every_program_are_known_in_every_program():
    environment = {f"MILLRACE_{name.upper()}": "" for name in SETTING_NAMES}
    others = {"REDIS_URL": "", "KAFKA_BOOTSTRAP_SERVERS": "", "MILLRACE_SETTINGS": "x.toml", "PATH": ""}
    file = "\n".join(f"{name} = 1" for name in (*SETTING_NAMES, "REDIS_URL", "MILLRACE_KAFKA_BOOTSTRAP_SERVERS"))
    assert misspelt_settings({**environment, **others, "millrace_lake": "x"}, file) == []


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("MILLRACE_LAK", "MILLRACE_LAKE"),
        ("MILLRACE_ALOWED_LATENES", "MILLRACE_ALLOWED_LATENESS"),
        ("MILLRACE_SERVNG_PORT", "MILLRACE_SERVING_PORT"),
        ("millrace_topic_modus", "MILLRACE_TOPIC_MODE"),
        ("MILRACE_LAKE", "MILLRACE_LAKE"),
        ("MILLRACES_REDIS_URL", "MILLRACE_REDIS_URL"),
        ("MILLRACELAKE", "MILLRACE_LAKE"),
        ("MLLRACE_WITHOUT_REGISTRY", "MILLRACE_WITHOUT_REGISTRY"),
    ],
)
def test_a_misspelt_variable_is_named_with_the_nearest(name: str, meant: str):
    assert misspelt_settings({name: "1"}) == [
        f"Variable {name} is not a setting. Did you mean {meant}? Correct its name or unset it"
    ]


def test_a_variable_that_is_near_to_nothing_is_named_alone():
    assert misspelt_settings({"MILLRACE_QQQQ": ""}) == [
        "Variable MILLRACE_QQQQ is not a setting. Correct its name or unset it"
    ]


@pytest.mark.parametrize(
    ("key", "meant"), [("lak", "lake"), ("MILLRACE_LAKE", "lake"), ("Redis_Namespace", "redis_namespace")]
)
def test_a_misspelt_key_of_the_file_is_named_with_the_nearest(key: str, meant: str):
    (fault,) = misspelt_settings({}, f'epoch = 1\n{key} = "x"\n')
    assert fault == (
        f"Key {key} of the settings file is not a setting. Did you mean {meant}? Correct its name or remove it"
    )


def test_variables_that_kubernetes_sets_are_not_settings():
    assert (
        misspelt_settings(
            {
                "MILLRACE_SERVICE_HOST": "10.0.0.1",
                "MILLRACE_SERVING_SERVICE_PORT_HTTP": "80",
                "MILLRACES_SERVING_PORT": "tcp://10.0.0.1:80",
                "MILLRACE_ONLINE_PORT": "tcp://10.0.0.1:80",
                "MILLRACE_ONLINE_PORT_80_TCP_ADDR": "10.0.0.1",
            }
        )
        == []
    )


def test_variables_of_other_tools_are_left_alone():
    others = ("LAKE", "DATA_LAKE", "REGISTRY", "MLFLOW_REGISTRY", "WORKERS", "RACE_EPOCH", "MILL_LAKE", "PGHOST")
    assert misspelt_settings(dict.fromkeys(others, "x")) == []
