"""What a source that speaks HTTP may be told: deadline, size, credentials, TLS. Secrets stand elsewhere.

Secrets come from files or the environment, are read again for each request (so that rotation works) and never stand in
these records, in messages or in logs.
"""

from __future__ import annotations

import getpass
import html
import json
import os
import re
import ssl
from base64 import b64encode
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote, quote_plus, urlsplit

import msgspec

from exporter.errors import SourceError
from exporter.model.settings import Duration, Settings

_HEADER_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")

Problems = list[tuple[str, str]]
"""(path below the source's options, what is wrong)."""


class Tls(Settings, frozen=True):
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
    tls: Tls = Tls()
    proxy: Proxy | None = None


@dataclass(frozen=True, slots=True)
class Secret:
    """Where a secret stands: in a file or in an environment variable."""

    path: str
    file: Path | None
    variable: str | None = None

    def read(self) -> str:
        """The secret as it is now; raises SourceError `unreadable`."""
        if self.file is not None:
            return _line(read_text(self.file), str(self.file.absolute()))
        value = os.environ.get(self.variable or "")
        if value is None:
            raise SourceError("unreadable", f"the environment variable {self.variable} is not set: set it")
        return _line(value, f"the environment variable {self.variable}")


def written(secret: str) -> set[str]:
    """A secret as a server may write it down that repeats what it was sent: plain, in a URL, in JSON, in HTML."""
    urls = (quote(secret), quote(secret, safe=""), quote_plus(secret))
    return {secret, *urls, json.dumps(secret)[1:-1], html.escape(secret), html.escape(secret, quote=False)}


def _line(text: str, where: str) -> str:
    line = text.strip()
    if wrong := _odd(line):
        raise SourceError("unreadable", f"{where} {wrong}: it must hold one line of printable ASCII")
    return line


def _odd(line: str) -> str:
    """Why a text is no secret; nothing of what it holds is said."""
    if line.startswith("\ufeff"):
        return "begins with a byte order mark"
    if not line:
        return "is empty"
    if (lines := len(line.splitlines())) > 1:
        return f"has {lines} lines"
    if not line.isascii():
        number = next(at for at, each in enumerate(line, 1) if not each.isascii())
        return f"holds a letter that is not ASCII, the {number}. one"
    return "" if line.isprintable() else "holds a control character"


def _printable(text: str) -> bool:
    return text.isascii() and text.isprintable()


def read_text(file: Path) -> str:
    """A file's text; SourceError `unreadable` that says which file, and not what is in it."""
    try:
        return file.read_text(encoding="utf-8")
    except OSError as error:
        why = error.strerror or "error"
        if isinstance(error, PermissionError):
            why += f" to user {_user()}"
        raise SourceError("unreadable", f"cannot read {file.absolute()}: {why}") from None
    except ValueError:
        raise SourceError("unreadable", f"cannot read {file.absolute()}: it is not text in UTF-8") from None


def _user() -> str:
    """Who we are to files: a container's user often has no name."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return str(os.getuid())


def _token(options: HttpOptions) -> Secret | None:
    if options.bearer_token_file is not None:
        return Secret("bearer_token_file", options.bearer_token_file)
    return Secret("bearer_token_env", None, options.bearer_token_env) if options.bearer_token_env else None


def _password(options: HttpOptions) -> Secret | None:
    if options.password_file is not None:
        return Secret("password_file", options.password_file)
    return Secret("password_env", None, options.password_env) if options.password_env else None


def proxy_password(proxy: Proxy) -> Secret | None:
    """Where the proxy's password stands."""
    if proxy.password_file is not None:
        return Secret("proxy.password_file", proxy.password_file)
    return Secret("proxy.password_env", None, proxy.password_env) if proxy.password_env else None


def _header_secrets(options: HttpOptions) -> Mapping[str, Secret]:
    return {name: Secret(f"headers_files.{name}", file) for name, file in options.headers_files.items()}


def request_headers(options: HttpOptions, authorization: str | None = None) -> tuple[dict[str, str], tuple[str, ...]]:
    """Headers with the secrets as they are now, and those secrets. Raises SourceError `unreadable`.

    An `authorization` given by the caller ("Bearer ...") is sent instead of the options' own, and is as secret.
    """
    hidden = {name: secret.read() for name, secret in _header_secrets(options).items()}
    headers, secrets = {**options.headers, **hidden}, list(hidden.values())
    token, password = _token(options), _password(options)
    if authorization is not None:
        headers["Authorization"] = authorization
        secrets.append(authorization.partition(" ")[2] or authorization)
    elif token is not None:
        secrets.append(token.read())
        headers["Authorization"] = f"Bearer {secrets[-1]}"
    elif password is not None:
        headers["Authorization"], more = _basic(options.username, password.read())
        secrets += more
    return headers, tuple(secrets)


def proxy_authorization(proxy: Proxy | None) -> tuple[str | None, tuple[str, ...]]:
    """The header Proxy-Authorization, None for a proxy without credentials, and the secrets that are in it."""
    password = proxy_password(proxy) if proxy is not None else None
    return _basic(proxy.username, password.read()) if proxy is not None and password is not None else (None, ())


def _basic(username: str | None, password: str) -> tuple[str, tuple[str, ...]]:
    encoded = b64encode(f"{username}:{password}".encode()).decode()
    return f"Basic {encoded}", (password, encoded)


def check_tls(tls: Tls) -> None:
    """Raises SourceError when the certificates cannot be used."""
    if tls.ca_file is None and tls.cert_file is None:
        return
    for file in (tls.ca_file, tls.cert_file, tls.key_file):
        if file is not None:
            read_text(file)
    try:
        context = ssl.create_default_context(cafile=tls.ca_file)
        if tls.cert_file is not None:
            context.load_cert_chain(
                tls.cert_file, tls.key_file, password=""
            )  # an encrypted key must not ask a terminal
    except (OSError, ValueError):
        text = "tls: ca_file, cert_file or key_file is not PEM without a passphrase, or certificate and key do not fit"
        raise SourceError("unreadable", text) from None


def problems(url: str, options: HttpOptions, example: str = "https://prometheus.example:9090") -> Problems:
    """What is wrong with the connection's options, unreadable files and secrets included; sends nothing."""
    found = [*_url_problems(url, example), *_credential_problems(options), *_header_problems(options)]
    found += _proxy_problems(options.proxy)
    if options.timeout <= 0:
        found.append(("timeout", "must be more than 0s"))
    if options.max_bytes < 1:
        found.append(("max_bytes", "must be at least 1"))
    found += secret_problems(_token(options), _password(options), *_header_secrets(options).values())
    if (options.tls.cert_file is None) != (options.tls.key_file is None):
        return [*found, ("tls.cert_file", "cert_file and key_file go together")]
    try:
        check_tls(options.tls)
    except SourceError as error:
        found.append(("tls", str(error)))
    return found


def secret_problems(*secrets: Secret | None) -> Problems:
    """Which of them cannot be read."""
    found = []
    for secret in secrets:
        try:
            if secret is not None:
                secret.read()
        except SourceError as error:
            found.append((secret.path if secret else "", str(error)))
    return found


def _url_problems(url: str, example: str) -> Problems:
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return [("url", f"not a URL; wanted e.g. {example}")]
    if parts.username is not None or parts.password is not None:
        return [("url", "holds a user or password; use username with password_file or password_env")]
    if parts.scheme not in ("http", "https") or not parts.hostname or port == 0:
        return [("url", f"not an http or https URL; wanted e.g. {example}")]
    if parts.query or parts.fragment:
        return [("url", "must end with the path, without ? or #")]
    return []


def _proxy_problems(proxy: Proxy | None) -> Problems:
    if proxy is None:
        return []
    found = [(f"proxy.{path}", text) for path, text in _url_problems(proxy.url, "http://proxy.example:3128")]
    if not found and urlsplit(proxy.url).scheme != "http":
        found.append(
            ("proxy.url", "not an http URL, which it is on the way to https too; wanted e.g. http://proxy.example:3128")
        )
    if not found and urlsplit(proxy.url).path.strip("/"):
        found.append(("proxy.url", "must end with the port, without a path"))
    if proxy.password_file and proxy.password_env:
        found.append(("proxy.password_env", "give password_file or password_env, not both"))
    if (proxy.username is None) != (proxy_password(proxy) is None):
        found.append(("proxy.username", "a proxy's credentials are username and one of password_file, password_env"))
    return found + secret_problems(proxy_password(proxy))


def _credential_problems(options: HttpOptions) -> Iterator[tuple[str, str]]:
    if options.bearer_token_file and options.bearer_token_env:
        yield "bearer_token_env", "give bearer_token_file or bearer_token_env, not both"
    if options.password_file and options.password_env:
        yield "password_env", "give password_file or password_env, not both"
    if (options.username is None) != (_password(options) is None):
        yield "username", "basic auth wants username and one of password_file, password_env"
    if _token(options) and _password(options):
        yield "username", "give basic auth or a bearer token, not both"


def _header_problems(options: HttpOptions) -> Iterator[tuple[str, str]]:
    for name, value in options.headers.items():
        if not _HEADER_NAME.fullmatch(name) or not _printable(value):
            yield f"headers.{name}", "not a header: the name is a token, the value printable ASCII"
        elif name.lower() == "authorization":
            yield f"headers.{name}", "a secret: use bearer_token_file, password_file or headers_files"
    for name in options.headers_files:
        if not _HEADER_NAME.fullmatch(name):
            yield f"headers_files.{name}", "not a header: the name is a token"
