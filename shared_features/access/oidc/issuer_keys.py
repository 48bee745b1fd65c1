"""The signing keys of an issuer as they are, fetched on a thread of their own: no request waits for the issuer.

They are fetched again every few minutes, and where a token names a key that is unknown; never more often than once in
ten seconds, whatever tokens are sent. An issuer that does not answer leaves the keys as they were, for a day.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from shared_features.access.lookout import Lookout
from shared_features.access.oidc.issuer_documents import fetch_keys
from shared_features.access.oidc.signatures import SigningKey, signing_keys
from shared_features.access.oidc.trusted_issuer import TrustedIssuer
from shared_features.errors import IssuerUnavailableError, TokenError

LOOK_EVERY_S = 0.2
PAUSE_S = 10.0
"""The least between two fetches."""
REFRESH_S = 300.0
KEPT_S = 86_400.0


class IssuerKeys(Lookout):
    """`current`: the keys by their names, replaced whole when they change. tell: gets a sentence for the log.

    clock: seconds that never run backwards. fetch: gets the issuer's address.
    """

    def __init__(
        self,
        issuer: TrustedIssuer,
        tell: Callable[[str], None],
        clock: Callable[[], float] = time.monotonic,
        fetch: Callable[[str], Sequence[Any]] = fetch_keys,
    ) -> None:
        super().__init__("issuer keys", LOOK_EVERY_S, tell)
        self._issuer, self._clock, self._fetch = issuer, clock, fetch
        self.current: Mapping[str, SigningKey] = {}
        self._published: Sequence[Any] = ()
        self._wanted = True
        self._tried_s = self._fetched_s = -KEPT_S

    def find(self, name: str) -> SigningKey:
        """Raises TokenError for a key that the issuer lacks, IssuerUnavailableError where that is unknown now."""
        if (key := self.current.get(name)) is not None:
            return key
        if self._clock() - self._fetched_s < PAUSE_S:
            raise TokenError("The token is signed by a key that the issuer does not publish.")
        self._wanted = True
        raise IssuerUnavailableError(
            "The signing key of the token is unknown here. The issuer is asked for its keys. Send the request again."
        )

    def look(self) -> None:
        """Fetch the keys if it is time to. Raises nothing."""
        now_s = self._clock()
        is_due = self._wanted or now_s - self._fetched_s >= REFRESH_S
        if not is_due or now_s - self._tried_s < PAUSE_S:
            return
        self._tried_s, self._wanted = now_s, False
        try:
            published = self._fetch(self._issuer.url)
        except IssuerUnavailableError as error:
            self._lack(now_s, str(error))
            return
        self._fetched_s = self._clock()
        if published != self._published:
            self._published, self.current = published, signing_keys(published)
        self._say(f"the issuer of tokens has {len(self.current)} signing keys")

    def _lack(self, now_s: float, why: str) -> None:
        if self.current and now_s - self._fetched_s > KEPT_S:
            self._published, self.current = (), {}
        self._say(f"keeping the {len(self.current)} signing keys of the issuer of tokens: {why}")
