"""The root of all errors, and what can go wrong with features, as a tree.

MillraceError               the root of every error of Millrace
  FeatureError              the root of those of this package
    DefinitionError         a group or view contradicts itself (raised at import)
      UnknownFieldError     a definition names a field that its source does not have
    OnDemandError           an on-demand function raises, or gives something else than numbers
    FormatVersionError      stored bytes of another schema than this reader knows
    ManifestMismatchError   a model that wants features its view does not have
    KeyFileError            the file of API keys cannot be used, or a key cannot be made
    CertificateFileError    a TLS certificate or its key cannot be used
    RegistryStorageError    the object storage of a model registry refuses, does not answer, or lacks its library
    IssuerSettingError      the settings name an issuer of tokens that cannot be used
    IssuerUnavailableError  whose a token is cannot be known now: the issuer's keys are unknown
    TokenError              a token that is not accepted, and why

The other packages draw their branches in an `errors.py` of their own: StreamingError, TrainingError, which is a
FeatureError, ServingError, and what keeps something from running on this machine (`deploy`).

A message names the thing, what was found, and what to do.
"""

from __future__ import annotations


class MillraceError(Exception):
    """Anything that Millrace refuses, in any of its packages; catch it to catch all of them."""


class FeatureError(MillraceError):
    """Anything this package refuses; catch it to catch all of the below."""


class DefinitionError(FeatureError):
    """A definition contradicts itself or another one; raised when it is built, that is at import."""


class UnknownFieldError(DefinitionError):
    """A definition names a field that its source does not have: `source` and `field` are their names."""

    def __init__(self, text: str, source: str, field: str) -> None:
        super().__init__(text)
        self.source, self.field = source, field

    def __reduce__(self) -> tuple[type[UnknownFieldError], tuple[str, str, str]]:
        return type(self), (str(self), self.source, self.field)


class OnDemandError(FeatureError):
    """An on-demand function raised, or gave something else than numbers. The message says which, and what to write."""


class FormatVersionError(FeatureError):
    """Stored bytes were written under another schema, or are damaged; the message says how to rebuild them."""


class ManifestMismatchError(FeatureError):
    """A model's manifest and the feature view it names do not fit together."""


class KeyFileError(FeatureError):
    """The file of API keys cannot be read or written, a line of it is not a key, or a key cannot be as it was asked."""


class CertificateFileError(FeatureError):
    """A file does not hold a TLS certificate, or its private key is missing or another certificate's."""


class IssuerSettingError(FeatureError):
    """The settings name an issuer of bearer tokens that cannot be used, or the extra for it is not installed."""


class IssuerUnavailableError(FeatureError):
    """The keys of an issuer cannot be read, or are asked for just now: whose a token is will be known later."""


class TokenError(FeatureError):
    """A token is not accepted. The message says why, and repeats nothing of the token."""


class RegistryStorageError(FeatureError):
    """Object storage cannot be read or written as a model registry. The message has no secret in it."""
