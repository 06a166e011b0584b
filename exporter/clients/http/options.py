"""Options of a source that speaks HTTP: deadline, size, credentials, TLS. Secrets are stored elsewhere.

Secrets come from files or the environment and are read again for each request, so rotation works. They never appear
in these records, in messages or in logs.
"""

from __future__ import annotations

import ssl
from base64 import b64encode
from collections.abc import Hashable, Mapping
from pathlib import Path
from urllib.parse import urlsplit

import msgspec

from exporter.clients.http.secrets import Secret, read_text
from exporter.errors import SourceError
from exporter.model.settings import Duration, Settings


class TlsOptions(Settings, frozen=True):
    """How the server's certificate is verified, and which client certificate is sent."""

    ca_file: Path | None = None
    """CA certificates (PEM) to trust instead of the public ones."""
    cert_file: Path | None = None
    key_file: Path | None = None
    insecure_skip_verify: bool = False


class Proxy(Settings, frozen=True):
    """An HTTP proxy on the way to the server; proxies from the environment are not used."""

    url: str
    """For example http://proxy.example:3128."""
    username: str | None = None
    password_file: Path | None = None
    password_env: str | None = None


class HttpOptions(Settings, frozen=True):
    """Options of every source that speaks HTTP."""

    timeout: Duration = Duration(30)
    """Overall deadline of one request, from the first packet to the last byte."""
    max_bytes: int = 64 << 20
    """Largest response that is read, after decompression."""
    bearer_token_file: Path | None = None
    bearer_token_env: str | None = None
    username: str | None = None
    password_file: Path | None = None
    password_env: str | None = None
    headers: dict[str, str] = msgspec.field(default_factory=dict)
    headers_files: dict[str, Path] = msgspec.field(default_factory=dict)
    """Header name to the file that holds its value, for secret values."""
    tls: TlsOptions = TlsOptions()
    proxy: Proxy | None = None


def server_of(url: str) -> tuple[str, int | None, str]:
    """Host, port and path of a base URL, the same for each way to write it."""
    parts = urlsplit(url)
    usual_port = 443 if parts.scheme == "https" else 80
    return ((parts.hostname or "").lower(), parts.port or usual_port, parts.path.rstrip("/"))


def login_of(options: HttpOptions) -> Hashable:
    """Everything that a server may tell tenants apart by: users and headers, without reading a secret."""
    return (
        options.username,
        options.bearer_token_file,
        options.bearer_token_env,
        frozenset(options.headers.items()),
        frozenset(options.headers_files.items()),
    )


def bearer_token(options: HttpOptions) -> Secret | None:
    """Where to read the token."""
    return _secret("bearer_token", options.bearer_token_file, options.bearer_token_env)


def basic_password(options: HttpOptions) -> Secret | None:
    """Where to read the password."""
    return _secret("password", options.password_file, options.password_env)


def proxy_password(proxy: Proxy) -> Secret | None:
    """Where to read the proxy's password."""
    return _secret("proxy.password", proxy.password_file, proxy.password_env)


def header_secrets(options: HttpOptions) -> Mapping[str, Secret]:
    """Header name to the secret that holds its value."""
    return {name: Secret(f"headers_files.{name}", file) for name, file in options.headers_files.items()}


def _secret(key: str, file: Path | None, variable: str | None) -> Secret | None:
    if file is not None:
        return Secret(f"{key}_file", file)
    if variable:
        return Secret(f"{key}_env", None, variable)
    return None


def request_headers(options: HttpOptions, authorization: str | None = None) -> tuple[dict[str, str], tuple[str, ...]]:
    """Headers with the current secrets, and those secrets. Raises SourceError `unreadable`.

    An `authorization` from the caller ("Bearer ...") replaces the options' credentials and is secret too.
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
    """The header Proxy-Authorization, None for a proxy without credentials, and the secrets in it."""
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
            # With an empty password: an encrypted key would prompt for one at the terminal.
            context.load_cert_chain(tls.cert_file, tls.key_file, password="")
    except (OSError, ValueError):
        text = "tls: ca_file, cert_file or key_file is not PEM without passphrase, or certificate and key do not match"
        raise SourceError("unreadable", text) from None
