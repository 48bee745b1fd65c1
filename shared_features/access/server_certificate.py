"""The TLS certificate that a service shows, and takes again when its files change: a certificate lives for weeks."""

from __future__ import annotations

import ssl
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from shared_features.errors import CertificateFileError

LOOK_EVERY_S = 1.0
Settings = tuple[Path, Path]
"""The files of the certificate, with those that vouch for it, and of its private key; both PEM."""


def certificate_files(certificate: Path | None, key: Path | None) -> Settings | None:
    """The files of the two settings; None where neither is set. Raises CertificateFileError if they cannot be used."""
    if certificate is None and key is None:
        return None
    if certificate is None or key is None:
        lacks = "MILLRACE_TLS_CERTIFICATE" if certificate is None else "MILLRACE_TLS_KEY"
        raise CertificateFileError(f"{lacks} is not set, and the other one is. TLS needs both. Set it to a PEM file.")
    tls_context(certificate, key)
    return certificate, key


def tls_context(certificate: Path, key: Path) -> ssl.SSLContext:
    """For a server, TLS 1.2 or later. Raises CertificateFileError."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols(["http/1.1"])
    for setting, file in (("MILLRACE_TLS_CERTIFICATE", certificate), ("MILLRACE_TLS_KEY", key)):
        try:
            with file.open("rb") as opened:
                opened.read(1)
        except OSError as error:
            raise CertificateFileError(f"{setting} names {file}: {error.strerror}. Name a PEM file.") from error
    try:
        context.load_cert_chain(certificate, key, password=_no_password)
    except (ssl.SSLError, OSError) as error:
        reason = getattr(error, "reason", None) or "it is not a PEM file"
        raise CertificateFileError(
            f"The certificate {certificate} (MILLRACE_TLS_CERTIFICATE) and the key {key} (MILLRACE_TLS_KEY) cannot be "
            f"used: {reason}. Give PEM files: the certificate, then its issuers, and in the other file its key."
        ) from error
    return context


class ShownCertificate:
    """Of one process. tell: gets a sentence when the certificate changes, or cannot.

    The context of a connection that begins is swapped for the newest, whole: none ever holds half a pair.
    """

    def __init__(self, files: Settings, tell: Callable[[str], None]) -> None:
        self._files, self._tell = files, tell
        self._newest = self.context = tls_context(*files)
        self._taken = self._seen = self._content()
        self._told = ""
        self.context.sni_callback = self._swap

    @property
    def pem(self) -> tuple[bytes, ...]:
        """The content of the two files, for what does not take a context."""
        return self._taken

    def start(self) -> None:
        """Look at the files from now on, on a thread of its own, for as long as the process lives."""
        threading.Thread(target=self._watch, name="certificate", daemon=True).start()

    def look(self) -> None:
        """Look once: a change is taken when two looks find the same content. Raises nothing."""
        try:
            content = self._content()
            if content != self._seen or content == self._taken:
                self._seen = content
                return
            self._newest, self._taken = tls_context(*self._files), content
            self._say("the certificate was read again")
            self._told = ""
        except (CertificateFileError, OSError) as error:
            self._say(f"keeping the certificate as it was: {error}")

    def _content(self) -> tuple[bytes, ...]:
        return tuple(file.read_bytes() for file in self._files)

    def _swap(self, connection: Any, name: str | None, context: ssl.SSLContext) -> None:
        connection.context = self._newest

    def _say(self, what: str) -> None:
        if what != self._told:
            self._told = what
            self._tell(what)

    def _watch(self) -> None:
        stop = threading.Event()
        while not stop.wait(LOOK_EVERY_S):
            self.look()


def _no_password() -> str:
    raise CertificateFileError(
        "The key of MILLRACE_TLS_KEY asks for a password. Write it without one, by `openssl pkey`."
    )
