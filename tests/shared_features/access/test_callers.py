"""Who may ask, as the settings of both services have it."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Iterator

import pytest

from serving.settings import load_settings as settings_of_serving
from shared_features.access.api_keys import ADMIN, PREDICT, ApiKey, digest_of
from shared_features.access.callers import callers_of, check_callers
from shared_features.access.key_file import add_key
from shared_features.access.oidc.claims import subject_of
from shared_features.access.oidc.trusted_issuer import trusted_issuer
from shared_features.errors import IssuerSettingError, KeyFileError
from tests.docs.pages import page
from tests.local_issuer import AUDIENCE, LocalIssuer, local_issuer
from training.settings import load_settings as settings_of_training

SETTINGS = (settings_of_serving, settings_of_training)


@pytest.fixture
def issuer() -> Iterator[LocalIssuer]:
    with local_issuer() as found:
        yield found


def test_the_settings_of_the_guide_describe_an_issuer_to_both_services(monkeypatch):
    (block,) = (each for each in page("docs/how-to/who-may-ask.md").blocks() if "OIDC_ISSUER" in each.code)
    shown = subprocess.run(["sh"], input=f"{block.code}\nenv", env={}, capture_output=True, text=True, check=True)
    for line in shown.stdout.splitlines():
        if line.startswith("MILLRACE_"):
            monkeypatch.setenv(*line.split("=", 1))
    for load in SETTINGS:
        found = trusted_issuer(load())
        assert found is not None
        payload = {"iss": found.url, "aud": found.audience, "sub": "alice", "exp": time.time() + 60}
        roles = {"realm_access": {"roles": ["scorer", "ml-admin"]}}
        assert subject_of(json.dumps(payload | roles).encode(), found, time.time()).scopes == {PREDICT, ADMIN}


def test_keys_and_tokens_are_asked_for_side_by_side(issuer, tmp_path, monkeypatch):
    monkeypatch.setenv("MILLRACE_OIDC_ISSUER", issuer.url)
    monkeypatch.setenv("MILLRACE_OIDC_AUDIENCE", AUDIENCE)
    add_key(tmp_path / "keys", ApiKey("shop", frozenset({PREDICT}), digest_of(b"secret")))
    for load in SETTINGS:
        settings = load()
        assert check_callers(settings)
        both = settings.model_copy(update={"api_keys_file": tmp_path / "keys"})
        for given in (settings, both):
            callers = callers_of(given, print)
            assert callers is not None
            callers.start()
            until = time.monotonic() + 60
            while not issuer.asked["/keys"]:
                assert time.monotonic() < until
                time.sleep(0.05)
            callers.stop()
            found = callers.find(b"secret")
            assert (found is not None and found.name) == (given is both and "shop")
            assert callers.find(b"another") is None
        issuer.asked.clear()


def test_without_settings_everybody_may_ask_and_wrong_ones_end_the_start(tmp_path):
    for load in SETTINGS:
        assert callers_of(load(), print) is None
        assert not check_callers(load())
        with pytest.raises(IssuerSettingError):
            check_callers(load().model_copy(update={"oidc_issuer": "http://example.org", "oidc_audience": "a"}))
        with pytest.raises(KeyFileError):
            check_callers(load().model_copy(update={"api_keys_file": tmp_path / "none"}))
