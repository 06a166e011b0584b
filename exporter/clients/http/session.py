"""One session per server: which headers are sent, the deadline, and how much of a response is read.

Proxies, .netrc and CA bundles from the environment are not used (`trust_env` is off). The deadline
covers a proxy too, starting with the connection to it.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from urllib.parse import quote, urlsplit

import requests
import urllib3

from exporter import __version__
from exporter.clients.http.deadline import Deadline, DeadlineAdapter
from exporter.clients.http.failures import Failures, Words, is_page
from exporter.clients.http.options import HttpOptions, TlsOptions, check_tls, proxy_authorization, request_headers
from exporter.clients.http.secrets import written

# We raise an error where urllib3 warns; its lines hold tracebacks.
logging.getLogger("urllib3").setLevel(logging.ERROR)

_CHUNK = 1 << 16

_LOGIN_HEAD = 20_000
"""Bytes of a page that are searched for a login form."""

_LOGIN_MARKS = (b"<form", b"saml", b"sign in", b"log in", b"login")

_TEXT_PART = 150
"""Characters printed of each end of a long text."""


@dataclass(frozen=True, slots=True)
class HttpResponse:
    """A response that was read completely."""

    status: int
    body: bytes
    clock_skew: float | None
    """The server's clock minus ours, in seconds, from its Date header (which counts whole seconds)."""
    html: bool = False
    """Whether its headers declare an HTML page."""

    @property
    def login(self) -> bool:
        """Whether it is a login page for people; a server's own refusals are pages too."""
        body = self.body[:_LOGIN_HEAD].lower()
        if not self.html and not body.lstrip().startswith(b"<"):
            return False
        return any(mark in body for mark in _LOGIN_MARKS)


class Session:
    """Sends requests to one server, one at a time. Nothing is opened or read before the first request."""

    def __init__(
        self,
        url: str,
        options: HttpOptions,
        clock: Callable[[], float] = time.time,
        words: Words | None = None,
    ) -> None:
        self._url = url.rstrip("/")
        self._secure = urlsplit(url).scheme == "https"
        self.address = _host_port(url)
        """host:port, for messages."""
        self._options = options
        self._clock = clock
        self._deadline = Deadline()
        self._lock = threading.Lock()
        self._secrets: tuple[str, ...] = ()
        self._adapter = DeadlineAdapter(self._deadline)
        self._session = requests.Session()
        self._session.trust_env = False
        self._session.headers["User-Agent"] = f"pte-exporter/{__version__}"
        for prefix in ("http://", "https://"):
            self._session.mount(prefix, self._adapter)

        proxy = None
        if options.proxy is not None:
            proxy = _host_port(options.proxy.url)
            self._session.proxies = {"http": options.proxy.url, "https": options.proxy.url}
        self._failures = Failures(
            self.address, proxy, options.timeout, options.max_bytes, words or Words(), self.redact
        )
        # Reported once, by the series pte_source_tls_verification, and not with each request.
        if options.tls.insecure_skip_verify:
            urllib3.disable_warnings(urllib3.exceptions.InsecureRequestWarning)

    def close(self) -> None:
        """Close idle connections; the next request opens new ones."""
        self._session.close()

    def abort(self) -> None:
        """Cancel the request that another thread is sending, if any: it fails immediately."""
        self._deadline.expire()

    def redact(self, text: str) -> str:
        """One printable line without any secret that was sent; a long line is cut in the middle."""
        printable = (letter if letter.isprintable() else " " for letter in self.hide(text))
        line = " ".join("".join(printable).split())
        if len(line) <= 2 * _TEXT_PART:
            return line
        return f"{line[:_TEXT_PART]} ... {line[-_TEXT_PART:]}"

    def hide(self, text: str) -> str:
        """The text without any secret that was sent."""
        for secret in self._secrets:
            text = text.replace(secret, "<secret>")
        return text

    def get(
        self,
        path: str,
        query: Mapping[str, str] | None = None,
        *,
        authorization: str | None = None,
        accept: tuple[int, ...] = (200,),
    ) -> HttpResponse:
        """GET with a query. Its values are encoded here and nowhere else. Raises SourceError as `post` does.

        `authorization` is sent instead of the options' credentials.
        """
        if query:
            path = f"{path}?{encoded(query)}"
        return self._send("GET", path, None, accept, authorization=authorization)

    def post(
        self,
        path: str,
        form: Mapping[str, str],
        *,
        secrets: Sequence[str] = (),
        accept: tuple[int, ...] = (200,),
    ) -> HttpResponse:
        """POST a form. Raises SourceError when the status is not in `accept`, and for every other failure.

        `secrets`: the secrets in the form; no message holds them.
        """
        return self._send("POST", path, form, accept, secrets=secrets)

    def put(self, path: str, body: bytes, content_type: str, *, accept: tuple[int, ...]) -> HttpResponse:
        """PUT a body. Raises SourceError as `post` does."""
        return self._send("PUT", path, body, accept, {"Content-Type": content_type})

    def _send(
        self,
        method: str,
        path: str,
        data: Mapping[str, str] | bytes | None,
        accept: tuple[int, ...],
        more: Mapping[str, str] | None = None,
        *,
        authorization: str | None = None,
        secrets: Sequence[str] = (),
    ) -> HttpResponse:
        with self._lock:
            # Read again for each request: a rotated secret needs no restart.
            headers, header_secrets = request_headers(self._options, authorization)
            headers |= more or {}
            self._adapter.proxy_authorization, proxy_secrets = proxy_authorization(self._options.proxy)
            # Longest first: replacing a secret that is part of a longer one would leave the rest of that.
            hidden = set[str]().union(*map(written, (*header_secrets, *secrets, *proxy_secrets)))
            self._secrets = tuple(sorted(hidden, key=len, reverse=True))

            try:
                with self._deadline.within(self._options.timeout):
                    return self._exchange(method, path, data, headers, accept)
            except (requests.RequestException, urllib3.exceptions.HTTPError, OSError, ValueError) as error:
                raise self._failures.broken(error, late=self._deadline.passed) from None

    def _exchange(
        self,
        method: str,
        path: str,
        data: Mapping[str, str] | bytes | None,
        headers: Mapping[str, str],
        accept: tuple[int, ...],
    ) -> HttpResponse:
        tls = self._options.tls
        if self._secure:
            check_tls(tls)

        # The Date header is compared with the middle of the exchange, the likeliest time at which it was written.
        sent = self._clock()
        with self._session.request(
            method,
            self._url + path,
            data=data,
            headers=headers,
            timeout=self._options.timeout,
            allow_redirects=False,
            stream=True,
            verify=_verify(tls),
            cert=_certificate(tls),
        ) as response:
            skew = _skew(response.headers.get("Date"), (sent + self._clock()) / 2)
            if response.status_code not in accept:
                raise self._failures.status(response.status_code, response.headers, self._clock())
            return HttpResponse(response.status_code, self._body(response), skew, is_page(response.headers))

    def _body(self, response: requests.Response) -> bytes:
        body = bytearray()
        for chunk in response.iter_content(_CHUNK):
            body += chunk
            if len(body) > self._options.max_bytes:
                raise self._failures.too_large()

        # A response without Content-Length ends silently when its socket is shut down.
        if self._deadline.passed:
            raise TimeoutError
        return bytes(body)


def encoded(query: Mapping[str, str]) -> str:
    """A query encoded for a URL: a blank as %20 because not every server decodes +, | as %7C, % as %25."""
    return "&".join(f"{quote(name, safe='')}={quote(value, safe='')}" for name, value in query.items())


def _host_port(url: str) -> str:
    parts = urlsplit(url)
    usual = 443 if parts.scheme == "https" else 80
    return f"{parts.hostname}:{parts.port or usual}"


def _verify(tls: TlsOptions) -> bool | str:
    """The `verify` of requests: whether to verify the server's certificate, or the file of CAs to verify it with."""
    if tls.insecure_skip_verify:
        return False
    if tls.ca_file is not None:
        return str(tls.ca_file)
    return True


def _certificate(tls: TlsOptions) -> tuple[str, str] | None:
    if tls.cert_file is None:
        return None
    return str(tls.cert_file), str(tls.key_file)


def _skew(date: str | None, now: float) -> float | None:
    """Server's clock minus ours. Adds half a second because the header is truncated to whole seconds."""
    if not date:
        return None
    try:
        return parsedate_to_datetime(date).timestamp() + 0.5 - now
    except (ValueError, OverflowError):
        return None
