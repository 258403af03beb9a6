"""https by certificate files."""

import ssl
from pathlib import Path

from goclaw.core.settings import InvalidSettings, Settings


def server_context(settings: Settings) -> ssl.SSLContext:
    """TLS 1.2 at least. Raises InvalidSettings that names the file which does not do."""
    certificate, key = settings.tls_certificate, settings.tls_key
    if certificate is None or key is None:
        raise InvalidSettings("GOCLAW_TLS_CERTIFICATE: not set")
    for name, path in (("CERTIFICATE", certificate), ("KEY", key)):
        _readable(name, path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols(["http/1.1"])
    try:
        context.load_cert_chain(certificate, key, password=_no_password)
    except ssl.SSLError as error:
        raise InvalidSettings(f"GOCLAW_TLS_CERTIFICATE: {_reason(error)}") from error
    return context


def local_context(settings: Settings) -> ssl.SSLContext:
    """For this machine's own calls: whatever the certificate's names are, it is the configured
    one.
    """
    context = ssl.create_default_context(cafile=settings.tls_certificate)
    context.check_hostname = False
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    return context


def _readable(name: str, path: Path) -> None:
    try:
        with path.open("rb"):
            pass
    except OSError as error:
        raise InvalidSettings(f"GOCLAW_TLS_{name}: {path}: {error.strerror}") from error


def _no_password() -> str:
    """OpenSSL would ask at the terminal, where nobody sits."""
    raise InvalidSettings("GOCLAW_TLS_KEY: the key is encrypted; store it without a passphrase")


def _reason(error: ssl.SSLError) -> str:
    if error.reason == "KEY_VALUES_MISMATCH":
        return "the certificate and GOCLAW_TLS_KEY do not belong together"
    return "the files of certificate and key cannot be read as PEM"
