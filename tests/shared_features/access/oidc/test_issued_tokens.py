"""Tokens of a real issuer on this machine: which are accepted, what each costs, and what an attacker tried."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
from collections.abc import Iterator
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives import serialization

from shared_features.access.api_keys import ADMIN, PREDICT, READ
from shared_features.access.oidc.issued_tokens import MOST_KEPT, IssuedTokens
from shared_features.access.oidc.issuer_keys import PAUSE_S, REFRESH_S, IssuerKeys
from shared_features.access.oidc.trusted_issuer import DEFAULT_SCOPES, TrustedIssuer
from shared_features.errors import IssuerUnavailableError, TokenError
from tests.local_issuer import AUDIENCE, LocalIssuer, local_issuer, private_key, published_key


@pytest.fixture(scope="module")
def running() -> Iterator[LocalIssuer]:
    with local_issuer() as issuer:
        yield issuer


class Trusting:
    """Tokens of an issuer, with clocks that a test pushes: `later_s` of both."""

    def __init__(self, issuer: LocalIssuer, **changed: Any) -> None:
        self.later_s = 0.0
        self.told: list[str] = []
        trusted: dict[str, Any] = {"claim": "scope", "scopes": DEFAULT_SCOPES} | changed
        described = TrustedIssuer(issuer.url, AUDIENCE, **trusted)
        began_s = time.time()
        self.keys = IssuerKeys(described, self.told.append, lambda: 1000.0 + self.later_s)
        self.tokens = IssuedTokens(described, self.keys, lambda: began_s + self.later_s)

    def find(self, token: str | bytes) -> Any:
        return self.tokens.find(token if isinstance(token, bytes) else token.encode())

    def refused(self, token: str | bytes) -> str:
        with pytest.raises(TokenError) as error:
            self.find(token)
        return str(error.value)


@pytest.fixture
def issuer(running: LocalIssuer) -> LocalIssuer:
    running.__init__(running.url)  # type: ignore[misc]  # as it began
    return running


@pytest.fixture
def trusting(issuer: LocalIssuer) -> Trusting:
    found = Trusting(issuer)
    found.keys.look()
    return found


def test_a_token_says_who_it_is_and_what_for(issuer, trusting):
    issuer.keys.append("rsa")
    trusting.later_s += REFRESH_S
    trusting.keys.look()
    for key in ("first", "rsa"):
        found = trusting.find(issuer.token(key))
        assert (found.name, found.kind) == ("oidc:alice", "Subject")
        assert found.key.may(PREDICT)
        assert not found.key.may(READ)
    assert trusting.find(issuer.token(aud=["other", AUDIENCE])).name == "oidc:alice"
    assert trusting.find(issuer.token(scope="millrace.admin")).key.scopes == {ADMIN}


@pytest.mark.parametrize(
    ("claim", "given"),
    [
        ("scope", {"scope": "openid millrace.read millrace.predict"}),
        ("roles", {"roles": ["millrace.read", "millrace.predict", 5, None]}),
        ("realm_access.roles", {"realm_access": {"roles": ["millrace.predict", "millrace.read"]}}),
        ("https://example.org/roles", {"https://example.org/roles": ["millrace.predict", "millrace.read"]}),
    ],
)
def test_scopes_are_read_from_the_claim_that_a_setting_names(issuer, claim, given):
    trusting = Trusting(issuer, claim=claim)
    trusting.keys.look()
    assert trusting.find(issuer.token(**({"scope": None} | given))).key.scopes == {PREDICT, READ}


@pytest.mark.parametrize(
    "given", [None, "", "millrace.predict2", "millrace", 7, {"millrace.predict": True}, [["millrace.predict"]]]
)
def test_a_claim_without_a_scope_of_ours_opens_nothing(issuer, trusting, given):
    assert not trusting.find(issuer.token(scope=given)).key.scopes


def part(what: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(what).encode()).rstrip(b"=").decode()


def unsigned(issuer: LocalIssuer, **head: Any) -> str:
    return f"{part({'kid': 'first'} | head)}.{part(issuer.claims())}."


def by_public_key(issuer: LocalIssuer, name: str, form: Any) -> str:
    """Signed by HS256, with what everybody can read as the secret."""
    begin = f"{part({'alg': 'HS256', 'typ': 'JWT', 'kid': name})}.{part(issuer.claims())}"
    secret = private_key(name).public_key().public_bytes(form, serialization.PublicFormat.SubjectPublicKeyInfo)
    signature = hmac.new(secret, begin.encode(), hashlib.sha256).digest()
    return f"{begin}.{base64.urlsafe_b64encode(signature).rstrip(b'=').decode()}"


def altered(issuer: LocalIssuer) -> str:
    head, _, signature = issuer.token().split(".")
    return f"{head}.{part(issuer.claims(sub='boss', scope='millrace.admin'))}.{signature}"


def self_published(issuer: LocalIssuer, **head: Any) -> str:
    """Signed by the attacker's own key, under the name of the issuer's, with an advice where to find the key."""
    return jwt.encode(issuer.claims(), private_key("attacker"), "ES256", headers={"kid": "first"} | head)


ATTACKS: dict[str, Any] = {
    "alg none": lambda issuer: unsigned(issuer, alg="none"),
    "alg NONE": lambda issuer: unsigned(issuer, alg="nOnE"),
    "no alg": unsigned,
    "alg null": lambda issuer: unsigned(issuer, alg=None),
    "alg a list": lambda issuer: unsigned(issuer, alg=["ES256"]),
    "no signature": lambda issuer: unsigned(issuer, alg="ES256"),
    "HS256 by the public key as PEM": lambda issuer: by_public_key(issuer, "first", serialization.Encoding.PEM),
    "HS256 by the public key as DER": lambda issuer: by_public_key(issuer, "first", serialization.Encoding.DER),
    "the algorithm of another key": lambda issuer: issuer.token("rsa", {"kid": "first"}),
    "an algorithm of the key that it is not for": lambda issuer: jwt.encode(
        issuer.claims(), private_key("rsa"), "RS512", headers={"kid": "rsa"}
    ),
    "claims that were altered": altered,
    "another's key": self_published,
    "a key in the head": lambda issuer: self_published(issuer, jwk=published_key("attacker")),
    "an address in the head": lambda issuer: self_published(issuer, jku=f"{issuer.url}/attacker"),
    "a certificate's address in the head": lambda issuer: self_published(issuer, x5u=f"{issuer.url}/attacker"),
    "an unknown key": lambda issuer: issuer.token(head={"kid": "../../dev/null"}),
    "no key": lambda issuer: issuer.token(head={"kid": None}),
    "a critical extension": lambda issuer: issuer.token(head={"crit": ["b64"], "b64": True}),
    "another kind of token": lambda issuer: issuer.token(head={"typ": "logout+jwt"}),
    "another issuer": lambda issuer: issuer.token(iss="https://example.org"),
    "almost the issuer": lambda issuer: issuer.token(iss=issuer.url + "/"),
    "no issuer": lambda issuer: issuer.token(iss=None),
    "a list of issuers": lambda issuer: issuer.token(iss=[issuer.url]),
    "another audience": lambda issuer: issuer.token(aud="millrace"),
    "no audience": lambda issuer: issuer.token(aud=None),
    "an audience that holds ours": lambda issuer: issuer.token(aud=f"{AUDIENCE} more"),
    "audiences as an object": lambda issuer: issuer.token(aud={AUDIENCE: True}),
    "expired": lambda issuer: issuer.token(exp=issuer.claims()["iat"] - 60),
    "never expires": lambda issuer: issuer.token(exp=None),
    "expires as a text": lambda issuer: issuer.token(exp="9999999999"),
    "expires, true": lambda issuer: issuer.token(exp=True),
    "expires, null": lambda issuer: jwt.encode(
        issuer.claims() | {"exp": None}, private_key("first"), "ES256", headers={"kid": "first"}
    ),
    "not yet": lambda issuer: issuer.token(nbf=issuer.claims()["iat"] + 600),
    "not yet, as a text": lambda issuer: issuer.token(nbf="0"),
    "no subject": lambda issuer: issuer.token(sub=None),
    "an empty subject": lambda issuer: issuer.token(sub=""),
    "a subject with a line end": lambda issuer: issuer.token(sub="alice\nboss"),
    "a long subject": lambda issuer: issuer.token(sub="a" * 256),
    "no JSON": lambda issuer: "a.b.c",
    "no base64": lambda issuer: "!.!.!",
    "nothing": lambda issuer: "..",
    "a deep head": lambda issuer: base64.urlsafe_b64encode(b"[" * 10_000).decode() + ".e30.e30",
    "no text": lambda issuer: b"\xff.\xfe.\x80",
}  # fmt: skip


@pytest.mark.parametrize("attack", ATTACKS)
def test_no_attack_on_a_token_gets_in(issuer, attack):
    """RFC 8725. The sentence says why, and repeats nothing that was sent."""
    issuer.keys = ["first", "rsa"]
    trusting = Trusting(issuer)
    trusting.keys.look()
    token = ATTACKS[attack](issuer)
    said = trusting.refused(token)
    assert said.startswith(("The token", "The head of the token", "The signature of the token", "What the token"))
    assert "attacker" not in said
    assert "boss" not in said
    assert set(issuer.asked) == {"/.well-known/openid-configuration", "/keys"}, "no address of a token is asked"


def test_what_is_no_token_is_nobodys_and_costs_no_look(trusting):
    for given in ("", "shop", "a.b", "a.b.c.d", "a." + "b" * 20_000 + ".c"):
        assert trusting.find(given) is None
    assert trusting.tokens.verified == 0


PUBLISHED: dict[str, Any] = {
    "a secret": {"kty": "oct", "k": "c2VjcmV0", "kid": "first", "alg": "HS256"},
    "short": lambda: published_key("short rsa", kid="first"),
    "for encryption": lambda: published_key("first", use="enc"),
    "of another algorithm": lambda: published_key("first", alg="HS256"),
    "of an algorithm that does not fit": lambda: published_key("first", alg="RS256"),
    "not on the curve": lambda: published_key("first", x="AAAA"),
    "without a name": lambda: {name: value for name, value in published_key("first").items() if name != "kid"},
    "of a name that is a list": lambda: published_key("first", kid=["first"]),
    "no object": "first",
}


@pytest.mark.parametrize("what", PUBLISHED)
def test_a_key_that_cannot_be_used_is_left_out_and_the_others_are_taken(issuer, what):
    wrong = PUBLISHED[what]
    issuer.published = [wrong() if callable(wrong) else wrong, published_key("second")]
    trusting = Trusting(issuer)
    trusting.keys.look()
    assert list(trusting.keys.current) == ["second"]
    assert trusting.find(issuer.token("second")).name == "oidc:alice"


def test_a_token_is_verified_once_and_again_after_it_expired(issuer, trusting):
    token = issuer.token()
    first = trusting.find(token)
    assert all(trusting.find(token) is first for _ in range(100))
    assert trusting.tokens.verified == 1
    trusting.later_s = 3_600 + 9
    trusting.find(token)
    assert trusting.tokens.verified == 1, "the leeway is ten seconds"
    trusting.later_s = 3_600 + 12
    assert "expired" in trusting.refused(token)
    assert trusting.tokens.verified == 2


def test_of_very_many_tokens_the_oldest_are_forgotten(issuer, trusting, monkeypatch):
    monkeypatch.setattr("shared_features.access.oidc.issued_tokens.MOST_KEPT", 3)
    tokens = [issuer.token(jti=str(number), sub=f"s{number}") for number in range(5)]
    for token in tokens:
        trusting.find(token)
    trusting.find(tokens[-1])
    assert trusting.tokens.verified == 5
    trusting.find(tokens[0])
    assert trusting.tokens.verified == 6
    assert MOST_KEPT == 4_096


def test_all_tokens_of_a_subject_share_its_limits(issuer):
    trusting = Trusting(issuer, requests_per_s=1.0, rows_per_s=2.0)
    trusting.keys.look()
    one, other = trusting.find(issuer.token()), trusting.find(issuer.token(scope="millrace.read"))
    assert one is not other
    assert one.requests is other.requests
    assert one.rows is other.rows
    assert trusting.find(issuer.token(sub="bob")).requests is not one.requests


def test_a_new_key_of_the_issuer_is_fetched_and_a_withdrawn_one_opens_nothing(issuer, trusting):
    before = issuer.token()
    trusting.find(before)
    issuer.keys = ["second"]
    trusting.later_s += PAUSE_S
    with pytest.raises(IssuerUnavailableError, match="Send the request again"):
        trusting.find(issuer.token("second"))
    trusting.keys.look()
    assert trusting.find(issuer.token("second")).name == "oidc:alice"
    assert trusting.refused(before) == "The token is signed by a key that the issuer does not publish."


def test_unknown_keys_make_no_more_than_a_fetch_in_ten_seconds(issuer, trusting):
    """However many tokens an attacker invents, and from how many clients."""
    for second in range(60):
        for number in range(50):
            with pytest.raises((TokenError, IssuerUnavailableError)):
                trusting.find(issuer.token(head={"kid": f"{second}-{number}"}))
            trusting.keys.look()
        trusting.later_s += 1
    assert issuer.asked["/keys"] == 6
    assert trusting.tokens.verified == 0


def test_an_issuer_that_is_silent_leaves_known_keys_and_says_of_others_that_it_is(issuer, trusting):
    issuer.silent = True
    trusting.later_s += REFRESH_S
    trusting.keys.look()
    assert trusting.find(issuer.token()).name == "oidc:alice"
    with pytest.raises(IssuerUnavailableError):
        trusting.find(issuer.token("second"))
    assert any("keeping the 1 signing keys" in each and "503" in each for each in trusting.told)
    issuer.silent, issuer.keys = False, ["first", "second"]
    trusting.later_s += PAUSE_S
    trusting.keys.look()
    assert trusting.find(issuer.token("second")).name == "oidc:alice"


def test_keys_of_an_issuer_that_is_silent_for_a_day_are_dropped(issuer, trusting):
    issuer.silent = True
    trusting.later_s += 86_401
    trusting.keys.look()
    with pytest.raises(IssuerUnavailableError):
        trusting.find(issuer.token(exp=2**40))


def test_before_the_issuer_was_asked_a_token_is_neither_right_nor_wrong(issuer):
    with pytest.raises(IssuerUnavailableError):
        Trusting(issuer).find(issuer.token())


DOCUMENTS: dict[str, Any] = {
    "another issuer": {"issuer": "https://example.org"},
    "keys over plain HTTP of another host": {"jwks_uri": "http://192.0.2.1/keys"},
    "keys in a file": {"jwks_uri": "file:///etc/passwd"},
    "no keys": {"jwks_uri": None},
}


@pytest.mark.parametrize("document", DOCUMENTS)
def test_an_issuer_whose_document_cannot_be_trusted_gives_no_keys(issuer, document):
    issuer.changed = DOCUMENTS[document]
    trusting = Trusting(issuer)
    trusting.keys.look()
    assert not trusting.keys.current
    assert "orrect the issuer" in trusting.told[0] or "MILLRACE_OIDC_ISSUER" in trusting.told[0]


def test_an_issuer_that_sends_us_elsewhere_is_not_followed(issuer, monkeypatch):
    monkeypatch.setattr(issuer, "document", lambda path: issuer.asked.update([path]) or f"{issuer.url}/elsewhere")
    trusting = Trusting(issuer)
    trusting.keys.look()
    assert set(issuer.asked) == {"/.well-known/openid-configuration"}
    assert "302" in trusting.told[0]
