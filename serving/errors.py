"""What serving refuses, as a tree. How a refused request is answered stands in `problems.py`.

MillraceError                of shared_features
  ServingError               the root of those of this package
    WrongSettingError        a setting cannot be used; the process ends with exit code 2
    EndpointAwayError        no endpoint answers a client, such as `python -m serving predict`
    RefusedByEndpointError   a client asked, and the endpoint answered without a prediction
    RefusedRequestError      a request gets problem details instead of a prediction
      UnknownKeyError        no API key and no token was given, or one that is not valid
      ForbiddenError         the key or the token lacks the scope that the path asks for
      IssuerAwayError        whose token it is cannot be known now: the issuer's keys are unknown
      RateLimitedError       the key has asked for more than its limit
      UnknownViewError       the path names a view that is not defined
      UnknownGroupError      the path names a feature group that is not defined
      UnknownModelError      a header names a model that does not answer for the view
      InvalidRequestError    the body does not match the view's fields; carries the path of the wrong field
      EarlyInstantError      the instant lies before what the online store can answer exactly
      ClockBehindError       the clock of this service is behind the stored events
      TooManyInstancesError  the body has more instances, or more bytes, than one request may carry
      SlowRequestError       the body did not arrive in time
      ClientLeftError        the client closed its connection before the answer
      ContentEncodingError   the body is compressed, or encoded otherwise
      OverloadedError        too many instances are waiting in this process, or for too long
      OnlineStoreError       Redis cannot be reached, is too slow, or answers with an error
        LostConnectionError  the connection ended before the answer
      CatchingUpError        stored features are missing or not up to date
      UnreadableStateError   stored features are damaged
      NoModelError           no model answers for the view yet
      FailedModelError       the model raised for this request, or gave no number
      SlowModelError         the model took too long for this request
      BrokenViewError        an on-demand function of the view cannot work, or raised

A message says what is wrong, what was found, and what to do.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from shared_features.errors import MillraceError


class ServingError(MillraceError):
    """Anything that serving refuses; catch it to catch all of the above."""


class WrongSettingError(ServingError, ValueError):
    """A setting has a value that it cannot have; the message names the setting, the value and what is expected."""


class EndpointAwayError(ServingError):
    """No endpoint answers. The message says where, why, and what to do."""


class RefusedByEndpointError(ServingError):
    """An endpoint answered a client without a prediction. status: of HTTP. problem: the problem details, or empty."""

    def __init__(self, message: str, status: int, problem: Mapping[str, object]) -> None:
        super().__init__(message)
        self.status, self.problem = status, problem


class RefusedRequestError(ServingError):
    """A request gets problem details instead of a prediction. `extra`: further members of `ProblemDetails`.

    challenge: the header WWW-Authenticate. retry_after_s: another one than that of the table of problems.
    """

    challenge: str | None = None
    retry_after_s: int | None = None

    def __init__(self, detail: str, **extra: Any) -> None:
        super().__init__(detail)
        self.detail = detail
        self.extra = extra


class UnknownKeyError(RefusedRequestError):
    """No API key and no token was given, or one that is not valid."""


class ForbiddenError(RefusedRequestError):
    """The key or the token lacks the scope that the path asks for."""


class IssuerAwayError(RefusedRequestError):
    """A token names a signing key that is unknown here, and the issuer has not been asked for it yet, or is silent."""


class RateLimitedError(RefusedRequestError):
    """The key has asked for more requests, or more instances, than its limit permits in a second."""


class UnknownViewError(RefusedRequestError):
    """The path names a view that is not defined."""


class UnknownGroupError(RefusedRequestError):
    """The path names a feature group that is not defined."""


class UnknownModelError(RefusedRequestError):
    """A header names a model that does not answer for the view."""


class InvalidRequestError(RefusedRequestError):
    """The body does not match the view's fields; the member `path` says where."""


class EarlyInstantError(RefusedRequestError):
    """The instant lies before what the online store can answer exactly.

    The members `path` and `exact_from_us` say which instant it is, and which is the first that can be asked for.
    """


class ClockBehindError(RefusedRequestError):
    """A request has no instant, and the clock of this service is behind the stored events by more than the head.

    The member `exact_from_us` says the first instant that can be asked for.
    """


class TooManyInstancesError(RefusedRequestError):
    """The body has more instances, or more bytes, than one request may carry."""


class SlowRequestError(RefusedRequestError):
    """The body did not arrive in time."""


class ClientLeftError(RefusedRequestError):
    """The client closed its connection before the answer. Nobody reads the problem: the metrics count it."""


class ContentEncodingError(RefusedRequestError):
    """The body is compressed, or encoded otherwise."""


class OverloadedError(RefusedRequestError):
    """Too many instances are waiting in this process, or for too long."""


class OnlineStoreError(RefusedRequestError):
    """Redis cannot be reached, is too slow, or answers with an error."""


class LostConnectionError(OnlineStoreError):
    """The connection to Redis ended before the answer. A new connection may answer."""


class CatchingUpError(RefusedRequestError):
    """A shard is behind, its definition differs, or its group was never streamed."""


class UnreadableStateError(RefusedRequestError):
    """The bytes of an entity, or of its shard's meta, are damaged or another's."""


class NoModelError(RefusedRequestError):
    """No model answers for the view yet."""


class FailedModelError(RefusedRequestError):
    """The model raised for this request, or gave no number. Other requests are answered."""


class SlowModelError(RefusedRequestError):
    """The model took longer than its deadline for this request. Other requests are answered meanwhile."""


class BrokenViewError(RefusedRequestError):
    """An on-demand function of the view cannot work, or raised for this request. Other views are answered."""
