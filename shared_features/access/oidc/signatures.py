"""Signatures of tokens, verified by PyJWT: which keys of an issuer can be used, and by which algorithm each."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from shared_features.errors import TokenError

if TYPE_CHECKING:
    from jwt import PyJWK

_ALGORITHMS = frozenset(
    {"RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA", "Ed25519"}
)
"""All of them asymmetric: neither `none`, nor HS256, whose key would be what everybody can read."""
_TYPES = frozenset({"", "jwt", "at+jwt", "application/at+jwt"})
_LEAST_RSA_BITS = 2048
_MOST_KEYS = 64


class SigningKey:
    """A key of an issuer. The algorithm is the key's, whatever the head of a token says."""

    def __init__(self, key: PyJWK) -> None:
        self._key = key

    def payload(self, token: bytes) -> bytes:
        """What the token says. Raises TokenError where the key has not signed that."""
        from jwt import PyJWS, PyJWTError

        try:
            found = PyJWS().decode_complete(token, self._key, algorithms=[self._key.algorithm_name])
        except (PyJWTError, ValueError, TypeError):
            raise TokenError("The signature of the token is not the issuer's.") from None
        payload: bytes = found["payload"]
        return payload


def key_id_of(token: bytes) -> str:
    """Which key the head of a token names. Raises TokenError for a head that no token of an issuer has."""
    from jwt import PyJWS, PyJWTError

    try:
        head = PyJWS().get_unverified_header(token)
    except (PyJWTError, ValueError, TypeError, RecursionError):
        raise TokenError("The head of the token cannot be read.") from None
    name, kind = head.get("kid"), head.get("typ", "")
    if not isinstance(head.get("alg"), str) or head["alg"] not in _ALGORITHMS:
        raise TokenError("The token is signed by an algorithm that is not accepted.")
    if not isinstance(name, str) or "crit" in head or not isinstance(kind, str) or kind.lower() not in _TYPES:
        raise TokenError("The head of the token names no key, or is of another kind of token.")
    return name


def signing_keys(published: Iterable[Any]) -> dict[str, SigningKey]:
    """By their names (`kid`): those that can be used, of what an issuer publishes."""
    found: dict[str, SigningKey] = {}
    for each in published:
        if len(found) < _MOST_KEYS and isinstance(each, dict) and (key := _usable(each)) is not None:
            found.setdefault(each["kid"], key)
    return found


def _usable(published: Mapping[str, Any]) -> SigningKey | None:
    """Neither a key for encryption, nor a secret, nor one that is too short."""
    from jwt import PyJWK, PyJWTError

    is_public = published.get("kty") in ("RSA", "EC", "OKP") and "d" not in published
    if not is_public or not isinstance(published.get("kid"), str) or published.get("use", "sig") != "sig":
        return None
    try:
        key = PyJWK(dict(published))
    except (PyJWTError, ValueError, TypeError):  # also of an algorithm that does not fit the key
        return None
    if key.algorithm_name not in _ALGORITHMS:
        return None
    return SigningKey(key) if published["kty"] != "RSA" or key.key.key_size >= _LEAST_RSA_BITS else None
