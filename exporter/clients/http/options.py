"""What a source that speaks HTTP may be told: deadline, size, credentials, TLS. Secrets stand elsewhere.

Secrets come from files or the environment, are read again for each request (so that rotation works) and never stand in
these records, in messages or in logs.
"""

from __future__ import annotations

import ssl
from base64 import b64encode
from collections.abc import Mapping
from pathlib import Path

import msgspec

from exporter.clients.http.secrets import Secret, read_text
from exporter.errors import SourceError
from exporter.model.settings import Duration, Settings


class TlsOptions(Settings, frozen=True):
    """How the server's certificate is checked, and which certificate we show."""

    ca_file: Path | None = None
    """CA certificates (PEM) to trust instead of the usual ones."""
    cert_file: Path | None = None
    key_file: Path | None = None
    insecure_skip_verify: bool = False


class Proxy(Settings, frozen=True):
    """An HTTP proxy between us and the server; those of the environment are not used."""

    url: str
    """Such as http://proxy.example:3128."""
    username: str | None = None
    password_file: Path | None = None
    password_env: str | None = None


class HttpOptions(Settings, frozen=True):
    """What every source that speaks HTTP may be told."""

    timeout: Duration = Duration(30)
    """Overall deadline of one request, from the first packet to the last byte."""
    max_bytes: int = 64 << 20
    """Largest answer that is read, after decompression."""
    bearer_token_file: Path | None = None
    bearer_token_env: str | None = None
    username: str | None = None
    password_file: Path | None = None
    password_env: str | None = None
    headers: dict[str, str] = msgspec.field(default_factory=dict)
    headers_files: dict[str, Path] = msgspec.field(default_factory=dict)
    """Header name to the file with its value, for values that are secret."""
    tls: TlsOptions = TlsOptions()
    proxy: Proxy | None = None


def bearer_token(options: HttpOptions) -> Secret | None:
    """Where the token stands."""
    return _secret("bearer_token", options.bearer_token_file, options.bearer_token_env)


def basic_password(options: HttpOptions) -> Secret | None:
    """Where the password stands."""
    return _secret("password", options.password_file, options.password_env)


def proxy_password(proxy: Proxy) -> Secret | None:
    """Where the proxy's password stands."""
    return _secret("proxy.password", proxy.password_file, proxy.password_env)


def header_secrets(options: HttpOptions) -> Mapping[str, Secret]:
    """Header name to where its value stands."""
    return {name: Secret(f"headers_files.{name}", file) for name, file in options.headers_files.items()}


def _secret(key: str, file: Path | None, variable: str | None) -> Secret | None:
    if file is not None:
        return Secret(f"{key}_file", file)
    if variable:
        return Secret(f"{key}_env", None, variable)
    return None


def request_headers(options: HttpOptions, authorization: str | None = None) -> tuple[dict[str, str], tuple[str, ...]]:
    """Headers with the secrets as they are now, and those secrets. Raises SourceError `unreadable`.

    An `authorization` given by the caller ("Bearer ...") is sent instead of the options' own, and is as secret.
    """
    hidden = {name: secret.read() for name, secret in header_secrets(options).items()}
    headers = {**options.headers, **hidden}
    secrets = list(hidden.values())

    token = bearer_token(options)
    password = basic_password(options)
    if authorization is not None:
        headers["Authorization"] = authorization
        secrets.append(authorization.partition(" ")[2] or authorization)
    elif token is not None:
        value = token.read()
        headers["Authorization"] = f"Bearer {value}"
        secrets.append(value)
    elif password is not None:
        headers["Authorization"], more = _basic(options.username, password.read())
        secrets += more
    return headers, tuple(secrets)


def proxy_authorization(proxy: Proxy | None) -> tuple[str | None, tuple[str, ...]]:
    """The header Proxy-Authorization, None for a proxy without credentials, and the secrets that are in it."""
    if proxy is None:
        return None, ()
    password = proxy_password(proxy)
    if password is None:
        return None, ()
    return _basic(proxy.username, password.read())


def _basic(username: str | None, password: str) -> tuple[str, tuple[str, ...]]:
    encoded = b64encode(f"{username}:{password}".encode()).decode()
    return f"Basic {encoded}", (password, encoded)


def check_tls(tls: TlsOptions) -> None:
    """Raises SourceError when the certificates cannot be used."""
    if tls.ca_file is None and tls.cert_file is None:
        return
    for file in (tls.ca_file, tls.cert_file, tls.key_file):
        if file is not None:
            read_text(file)

    try:
        context = ssl.create_default_context(cafile=tls.ca_file)
        if tls.cert_file is not None:
            # With a password, which is empty: an encrypted key would ask for one at the terminal.
            context.load_cert_chain(tls.cert_file, tls.key_file, password="")
    except (OSError, ValueError):
        text = "tls: ca_file, cert_file or key_file is not PEM without a passphrase, or certificate and key do not fit"
        raise SourceError("unreadable", text) from None
