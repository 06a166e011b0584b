"""The file of --web.config.file: TLS, basic authentication and headers, in the format that Prometheus exporters share.

https://github.com/prometheus/exporter-toolkit/blob/master/docs/web-configuration.md describes it. Options that Python's
TLS cannot support in the same way (cipher_suites, curve_preferences, client_allowed_sans, certificates without
verification) are rejected instead of ignored, and so are http2 and rate_limit.
"""

from __future__ import annotations

import re
import ssl
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Literal

import msgspec

from exporter.config import read_yaml
from exporter.config.conversion import convert
from exporter.errors import ConfigError, Problem
from exporter.model.settings import Settings

_BCRYPT = re.compile(r"\$2[abxy]\$\d\d\$[./A-Za-z0-9]{53}")

_VERSIONS = {"TLS12": ssl.TLSVersion.TLSv1_2, "TLS13": ssl.TLSVersion.TLSv1_3}

_CLIENT = {
    "NoClientCert": ssl.CERT_NONE,
    "VerifyClientCertIfGiven": ssl.CERT_OPTIONAL,
    "RequireAndVerifyClientCert": ssl.CERT_REQUIRED,
}


class ServerTls(Settings, frozen=True):
    """`tls_server_config`."""

    cert_file: Path
    key_file: Path
    client_auth_type: Literal["NoClientCert", "VerifyClientCertIfGiven", "RequireAndVerifyClientCert"] = "NoClientCert"
    client_ca_file: Path | None = None
    min_version: Literal["TLS12", "TLS13"] = "TLS12"
    max_version: Literal["TLS12", "TLS13"] = "TLS13"


Header = Annotated[str, msgspec.Meta(pattern=r"^[\x20-\x7e]*$")]


class Headers(Settings, frozen=True):
    """`http_server_config.headers`."""

    csp: Header | None = msgspec.field(default=None, name="Content-Security-Policy")
    frame: Header | None = msgspec.field(default=None, name="X-Frame-Options")
    content_type: Header | None = msgspec.field(default=None, name="X-Content-Type-Options")
    xss: Header | None = msgspec.field(default=None, name="X-XSS-Protection")
    transport: Header | None = msgspec.field(default=None, name="Strict-Transport-Security")


class Http(Settings, frozen=True):
    """`http_server_config`."""

    headers: Headers = Headers()


class WebConfig(Settings, frozen=True):
    """The whole file."""

    tls_server_config: ServerTls | None = None
    http_server_config: Http = Http()
    basic_auth_users: dict[str, str] = {}  # noqa: RUF012  msgspec copies it

    @property
    def headers(self) -> dict[str, str]:
        """Header name to value, without the headers that are not set."""
        headers = self.http_server_config.headers
        values = {field.encode_name: getattr(headers, field.name) for field in msgspec.structs.fields(headers)}
        return {name: value for name, value in values.items() if value is not None}


def read(path: str | Path) -> WebConfig:
    """The web configuration in a YAML file; raises ConfigError with every problem found. An empty file means no TLS."""
    file = str(path)
    problems: list[Problem] = []
    config = convert(read_yaml(path), WebConfig, file, "", problems)
    if config is not None:
        for user, hashed in config.basic_auth_users.items():
            problems += _user_problems(user, hashed, file)
        if config.tls_server_config is not None:
            context(config.tls_server_config, file, problems)

    if config is None or problems:
        raise ConfigError(problems)
    return config


def _user_problems(user: str, hashed: str, file: str) -> Iterator[Problem]:
    path = f"basic_auth_users.{user}"
    if ":" in user or not user:
        yield Problem(file, path, "must be a user name without a colon")
    if not _BCRYPT.fullmatch(hashed):
        # The value may be the password itself: the message does not repeat it.
        expected = "what `htpasswd -nBC 10 USER` (Debian: apache2-utils) prints after the colon"
        yield Problem(file, path, f"is not a bcrypt hash, expected {expected}")


def context(
    tls: ServerTls, file: str, problems: list[Problem], existing: ssl.SSLContext | None = None
) -> ssl.SSLContext | None:
    """The server's TLS context, or None after adding what is wrong with the files to `problems`.

    An `existing` context loads the certificates again, for new connections.
    """
    result = existing or ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    texts = _set_up(result, tls)
    problems += [Problem(file, f"tls_server_config.{key}", text) for key, text in texts]
    return None if texts else result


def _set_up(context: ssl.SSLContext, tls: ServerTls) -> list[tuple[str, str]]:
    """Apply the settings; returns the key and the text of each problem."""
    if _VERSIONS[tls.min_version] > _VERSIONS[tls.max_version]:
        return [("max_version", f"must be at least min_version ({tls.min_version})")]

    problems = []
    context.minimum_version = _VERSIONS[tls.min_version]
    context.maximum_version = _VERSIONS[tls.max_version]
    try:
        # Never prompt for a password: an encrypted key is an error.
        context.load_cert_chain(tls.cert_file, tls.key_file, password=lambda: "")
    except (OSError, ValueError) as error:
        text = f"{tls.cert_file} with key_file {tls.key_file} cannot be used: {_why(error)}"
        problems.append(("cert_file", text))

    if tls.client_auth_type != "NoClientCert" and tls.client_ca_file is None:
        text = f"missing, expected a file name because client_auth_type is {tls.client_auth_type}"
        problems.append(("client_ca_file", text))
    if tls.client_ca_file is not None:
        try:
            context.load_verify_locations(tls.client_ca_file)
        except (OSError, ValueError) as error:
            problems.append(("client_ca_file", f"{tls.client_ca_file} cannot be used: {_why(error)}"))
    context.verify_mode = _CLIENT[tls.client_auth_type]
    return problems


def _why(error: Exception) -> str:
    if not isinstance(error, ssl.SSLError):
        return getattr(error, "strerror", None) or str(error)
    if not error.reason:
        return "it is not PEM or the key does not match"
    return error.reason.lower().replace("_", " ")
