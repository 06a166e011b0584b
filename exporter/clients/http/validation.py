"""Validates the options of a source that speaks HTTP, beyond their types."""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import urlsplit

from exporter.clients.http.options import (
    HttpOptions,
    Proxy,
    basic_password,
    bearer_token,
    check_tls,
    header_secrets,
    proxy_password,
)
from exporter.clients.http.secrets import Secret
from exporter.errors import SourceError

Problems = list[tuple[str, str | SourceError]]
"""(path below the source's options, the problem: a text, or the error of the attempt to use the option)."""

_HEADER_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")


def problems(
    url: str,
    options: HttpOptions,
    example: str = "https://prometheus.example:9090",
    *,
    credentials: str = "use username with password_file or password_env",
) -> Problems:
    """Problems of the connection's options, including unreadable files and secrets; sends nothing.

    `example`: a valid URL. `credentials`: what to use instead of credentials in the URL.
    """
    invalid: Problems = [
        *_url_problems(url, example, credentials),
        *_credential_problems(options),
        *_header_problems(options),
        *_proxy_problems(options.proxy, credentials),
    ]
    if options.timeout <= 0:
        invalid.append(("timeout", "must be more than 0s"))
    if options.max_bytes < 1:
        invalid.append(("max_bytes", "must be at least 1"))
    invalid += secret_problems(bearer_token(options), basic_password(options), *header_secrets(options).values())
    # Half of a pair cannot be loaded, which would be reported a second time.
    if (options.tls.cert_file is None) != (options.tls.key_file is None):
        return [*invalid, ("tls.cert_file", "cert_file and key_file must be set together")]

    try:
        check_tls(options.tls)
    except SourceError as error:
        invalid.append(("tls", error))
    return invalid


def secret_problems(*secrets: Secret | None) -> Problems:
    """The secrets that cannot be read."""
    invalid: Problems = []
    for secret in secrets:
        if secret is None:
            continue

        try:
            secret.read()
        except SourceError as error:
            invalid.append((secret.path, error))
    return invalid


def _url_problems(url: str, example: str, credentials: str) -> Problems:
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return [("url", f"not a URL; expected for example {example}")]

    if parts.username is not None or parts.password is not None:
        return [("url", f"contains a user or password; {credentials}")]
    if parts.scheme not in ("http", "https") or not parts.hostname or port == 0:
        return [("url", f"not an http or https URL; expected for example {example}")]
    if parts.query or parts.fragment:
        return [("url", "must end with the path, without ? or #")]
    return []


def _proxy_problems(proxy: Proxy | None, credentials: str) -> Problems:
    if proxy is None:
        return []
    invalid = _proxy_url_problems(proxy.url, credentials)
    if proxy.password_file and proxy.password_env:
        invalid.append(("proxy.password_env", "set password_file or password_env, not both"))

    password = proxy_password(proxy)
    if (proxy.username is None) != (password is None):
        invalid.append(("proxy.username", "a proxy's credentials need username and one of password_file, password_env"))
    return invalid + secret_problems(password)


def _proxy_url_problems(url: str, credentials: str) -> Problems:
    example = "http://proxy.example:3128"
    invalid: Problems = [(f"proxy.{path}", text) for path, text in _url_problems(url, example, credentials)]
    if invalid:
        return invalid

    parts = urlsplit(url)
    if parts.scheme != "http":
        text = f"not an http URL, which a proxy needs for https too; expected for example {example}"
        return [("proxy.url", text)]
    if parts.path.strip("/"):
        return [("proxy.url", "must end with the port, without a path")]
    return []


def _credential_problems(options: HttpOptions) -> Iterator[tuple[str, str]]:
    if options.bearer_token_file and options.bearer_token_env:
        yield "bearer_token_env", "set bearer_token_file or bearer_token_env, not both"
    if options.password_file and options.password_env:
        yield "password_env", "set password_file or password_env, not both"

    if (options.username is None) != (basic_password(options) is None):
        yield "username", "basic auth needs username and one of password_file, password_env"
    if bearer_token(options) and basic_password(options):
        yield "username", "set basic auth or a bearer token, not both"


def _header_problems(options: HttpOptions) -> Iterator[tuple[str, str]]:
    for name, value in options.headers.items():
        if not _HEADER_NAME.fullmatch(name) or not _printable(value):
            yield f"headers.{name}", "not a header: the name must be a token, the value printable ASCII"
        elif name.lower() == "authorization":
            yield f"headers.{name}", "secret: use bearer_token_file, password_file or headers_files"

    for name in options.headers_files:
        if not _HEADER_NAME.fullmatch(name):
            yield f"headers_files.{name}", "not a header: the name must be a token"


def _printable(text: str) -> bool:
    return text.isascii() and text.isprintable()
