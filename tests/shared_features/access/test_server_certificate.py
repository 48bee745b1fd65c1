"""A pair of certificate and key is taken whole, while connections come; a wrong one is named, and changes nothing."""

from __future__ import annotations

import socket
import ssl
import threading
from pathlib import Path

import pytest

from shared_features.access.server_certificate import ShownCertificate, certificate_files, tls_context
from shared_features.errors import CertificateFileError
from tests.self_made_certificates import FIRST, LOCKED_KEY, SECOND, SECOND_KEY, written


def shown(context: ssl.SSLContext, client: ssl.SSLContext | None = None) -> bytes:
    """The certificate that a client sees, in a handshake of its own."""
    client = client or ssl._create_unverified_context()  # what is shown is looked at, not trusted
    ours, theirs = socket.socketpair()
    with ours, theirs:
        thread = threading.Thread(target=lambda: context.wrap_socket(ours, server_side=True).close())
        thread.start()
        with client.wrap_socket(theirs, server_hostname="localhost") as connection:
            seen = connection.getpeercert(binary_form=True)
        thread.join()
    assert seen is not None
    return seen


def test_a_changed_pair_is_shown_to_the_next_connection(tmp_path: Path) -> None:
    told: list[str] = []
    certificate = ShownCertificate(written(tmp_path), told.append)
    assert shown(certificate.context) == ssl.PEM_cert_to_DER_cert(FIRST)
    trusting = ssl.create_default_context(cadata=FIRST)
    assert shown(certificate.context, trusting) == ssl.PEM_cert_to_DER_cert(FIRST)
    written(tmp_path, SECOND, SECOND_KEY)
    certificate.look()
    assert shown(certificate.context) == ssl.PEM_cert_to_DER_cert(FIRST), "it may still be being written"
    certificate.look()
    assert shown(certificate.context) == ssl.PEM_cert_to_DER_cert(SECOND)
    assert told == ["the certificate was read again"]


def test_half_of_a_new_pair_leaves_the_old_one(tmp_path: Path) -> None:
    """A certificate and its key are two files: for a moment they are of two pairs."""
    told: list[str] = []
    files = written(tmp_path)
    certificate = ShownCertificate(files, told.append)
    for text in (SECOND, SECOND[:100], ""):
        files[0].write_text(text)
        for _ in range(4):
            certificate.look()
        assert shown(certificate.context) == ssl.PEM_cert_to_DER_cert(FIRST)
    files[0].unlink()
    certificate.look()
    assert shown(certificate.context) == ssl.PEM_cert_to_DER_cert(FIRST)
    assert all(each.startswith("keeping the certificate as it was: ") for each in told)
    assert "KEY_VALUES_MISMATCH" in told[0]
    written(tmp_path, SECOND, SECOND_KEY)
    certificate.look()
    certificate.look()
    assert shown(certificate.context) == ssl.PEM_cert_to_DER_cert(SECOND)


def test_old_versions_of_tls_are_refused(tmp_path: Path) -> None:
    context = tls_context(*written(tmp_path))
    assert context.minimum_version == ssl.TLSVersion.TLSv1_2


def test_files_that_cannot_be_used_are_refused_by_the_name_of_their_setting(tmp_path: Path) -> None:
    certificate, key = written(tmp_path)
    assert certificate_files(None, None) is None
    assert certificate_files(certificate, key) == (certificate, key)
    with pytest.raises(CertificateFileError, match=r"MILLRACE_TLS_KEY is not set"):
        certificate_files(certificate, None)
    with pytest.raises(CertificateFileError, match=r"MILLRACE_TLS_CERTIFICATE is not set"):
        certificate_files(None, key)
    with pytest.raises(CertificateFileError, match=r"MILLRACE_TLS_KEY names .*none: No such file"):
        certificate_files(certificate, tmp_path / "none")
    with pytest.raises(CertificateFileError, match=r"cannot be used: .*Give PEM files"):
        certificate_files(key, key)
    key.write_text(SECOND_KEY)
    with pytest.raises(CertificateFileError, match="KEY_VALUES_MISMATCH"):
        certificate_files(certificate, key)
    key.write_text(LOCKED_KEY)
    with pytest.raises(CertificateFileError, match="asks for a password"):
        certificate_files(certificate, key)
