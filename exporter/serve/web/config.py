"""The file of --web.config.file: TLS, basic authentication and headers, in the format that Prometheus exporters share.

https://github.com/prometheus/exporter-toolkit/blob/master/docs/web-configuration.md describes it. What Python's TLS
cannot do the same way (cipher_suites, curve_preferences, client_allowed_sans, certificates without verification) is
refused instead of ignored, and so are http2 and rate_limit.
"""

from __future__ import annotations

import re
import ssl
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


class Tls(Settings, frozen=True):
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

    tls_server_config: Tls | None = None
    http_server_config: Http = Http()
    basic_auth_users: dict[str, str] = {}  # noqa: RUF012  msgspec copies it

    @property
    def headers(self) -> dict[str, str]:
        """Header name to value, of those that are given."""
        headers = self.http_server_config.headers
        given = {field.encode_name: getattr(headers, field.name) for field in msgspec.structs.fields(headers)}
        return {name: value for name, value in given.items() if value is not None}


def read(path: str | Path) -> WebConfig:
    """The web configuration in a YAML file; raises ConfigError with every problem found. An empty file is no TLS."""
    file, problems = str(path), list[Problem]()
    config = convert(read_yaml(path), WebConfig, file, "", problems)
    if config is not None:
        for user, hashed in config.basic_auth_users.items():
            if ":" in user or not user:
                problems.append(Problem(file, f"basic_auth_users.{user}", "wanted a user name without a colon"))
            if not _BCRYPT.fullmatch(hashed):
                wanted = "what `htpasswd -nBC 10 USER` (Debian: apache2-utils) prints after the colon"
                text = f"is not a bcrypt hash, wanted {wanted}"
                problems.append(Problem(file, f"basic_auth_users.{user}", text))
        if config.tls_server_config is not None:
            context(config.tls_server_config, file, problems)
    if config is None or problems:
        raise ConfigError(problems)
    return config


def context(tls: Tls, file: str, problems: list[Problem], made: ssl.SSLContext | None = None) -> ssl.SSLContext | None:
    """The server's TLS context, or None after adding what is wrong with the files to `problems`.

    A context that was `made` before takes the certificates anew, for the connections to come.
    """
    made = made or ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    path, before = "tls_server_config", len(problems)

    def wrong(key: str, text: str) -> None:
        problems.append(Problem(file, f"{path}.{key}", text))

    if _VERSIONS[tls.min_version] > _VERSIONS[tls.max_version]:
        wrong("max_version", f"wanted at least min_version ({tls.min_version})")
        return None
    made.minimum_version, made.maximum_version = _VERSIONS[tls.min_version], _VERSIONS[tls.max_version]
    try:
        # A password is never asked for: an encrypted key ends in an error, not in a prompt.
        made.load_cert_chain(tls.cert_file, tls.key_file, password=lambda: "")
    except (OSError, ValueError) as error:
        wrong("cert_file", f"{tls.cert_file} with key_file {tls.key_file} cannot be used: {_why(error)}")
    verify = tls.client_auth_type != "NoClientCert"
    if verify and tls.client_ca_file is None:
        wrong("client_ca_file", f"missing, wanted a file name, as client_auth_type is {tls.client_auth_type}")
    if tls.client_ca_file is not None:
        try:
            made.load_verify_locations(tls.client_ca_file)
        except (OSError, ValueError) as error:
            wrong("client_ca_file", f"{tls.client_ca_file} cannot be used: {_why(error)}")
    made.verify_mode = _CLIENT[tls.client_auth_type]
    return None if len(problems) > before else made


def _why(error: Exception) -> str:
    if isinstance(error, ssl.SSLError):
        return error.reason.lower().replace("_", " ") if error.reason else "it is not PEM or the key does not fit"
    return getattr(error, "strerror", None) or str(error)
