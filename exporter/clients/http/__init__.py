"""HTTP out: one session per source, with an overall deadline, a byte cap and no redirects.

Every failure is a SourceError whose text names host:port and what to do, and never holds a secret. Proxies, .netrc and
CA bundles from the environment are not used (`trust_env` is off): what is sent where is in the configuration alone. The
deadline holds through a proxy too, from the connection to the proxy on.
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
from exporter.clients.http.options import HttpOptions, check_tls, proxy_authorization, request_headers
from exporter.clients.http.secrets import written

__all__ = ["Response", "Session", "Words"]

logging.getLogger("urllib3").setLevel(logging.ERROR)  # what it warns of, we raise; its lines hold tracebacks

_CHUNK = 1 << 16
_LOOKED_AT = 20_000
"""Bytes of a page in which a login form is looked for."""
_TEXT_PART = 150


@dataclass(frozen=True, slots=True)
class Response:
    """An answer that was read in full."""

    status: int
    body: bytes
    clock_skew: float | None
    """The server's clock minus ours, in seconds, from its Date header (which counts whole seconds)."""
    html: bool = False
    """Whether it is said to be an HTML page."""

    @property
    def login(self) -> bool:
        """Whether it is a page made for people to log in at; a server's own refusals are pages too."""
        body = self.body[:_LOOKED_AT].lower()
        page = self.html or body.lstrip()[:1] == b"<"
        return page and any(word in body for word in (b"<form", b"saml", b"sign in", b"log in", b"login"))


class Session:
    """Sends requests to one server; one at a time. Nothing is opened or read before the first request."""

    def __init__(
        self, url: str, options: HttpOptions, clock: Callable[[], float] = time.time, words: Words | None = None
    ) -> None:
        parts = urlsplit(url)
        self._url = url.rstrip("/")
        self._origin = (parts.scheme, parts.hostname, parts.port or (443 if parts.scheme == "https" else 80))
        self.place = f"{parts.hostname}:{self._origin[2]}"
        """host:port, for messages."""
        self._options = options
        self._clock = clock
        self._deadline = Deadline()
        self._lock = threading.Lock()
        self._secrets: tuple[str, ...] = ()
        self._session = requests.Session()
        self._session.trust_env = False
        self._session.headers["User-Agent"] = f"pte-exporter/{__version__}"
        self._adapter = DeadlineAdapter(self._deadline)
        for prefix in ("http://", "https://"):
            self._session.mount(prefix, self._adapter)
        if options.proxy is not None:
            self._session.proxies = {"http": options.proxy.url, "https": options.proxy.url}
        self._failures = Failures(
            self.place,
            _host_port(options.proxy.url) if options.proxy else None,
            options.timeout,
            options.max_bytes,
            words or Words(),
            self.redact,
        )
        if options.tls.insecure_skip_verify:  # told once, by the series pte_source_tls_verification
            urllib3.disable_warnings(urllib3.exceptions.InsecureRequestWarning)

    def close(self) -> None:
        """Close idle connections; the next request opens new ones."""
        self._session.close()

    def abort(self) -> None:
        """End the request that is under way in another thread, if there is one: it fails at once."""
        self._deadline.expire()

    def redact(self, text: str) -> str:
        """One printable line without any secret that was sent; of a long one the beginning and the end."""
        text = self.hide(text)
        line = " ".join("".join(c if c.isprintable() else " " for c in text).split())
        return line if len(line) <= 2 * _TEXT_PART else f"{line[:_TEXT_PART]} ... {line[-_TEXT_PART:]}"

    def hide(self, text: str) -> str:
        """A text without any secret that was sent."""
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
    ) -> Response:
        """GET with a query, whose values are encoded here and nowhere else. Raises SourceError as `post` does.

        `authorization` is sent instead of the options' credentials.
        """
        asked = f"{path}?{encoded(query)}" if query else path
        return self._send("GET", asked, None, accept, authorization=authorization)

    def post(
        self,
        path: str,
        form: Mapping[str, str],
        *,
        secrets: Sequence[str] = (),
        accept: tuple[int, ...] = (200,),
    ) -> Response:
        """POST a form. Raises SourceError when the answer's status is not in `accept`, and for every other failure.

        `secrets` are those in the form: no message holds them.
        """
        return self._send("POST", path, form, accept, secrets=secrets)

    def put(self, path: str, body: bytes, content_type: str, *, accept: tuple[int, ...]) -> Response:
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
    ) -> Response:
        with self._lock:
            headers, known = request_headers(self._options, authorization)
            self._adapter.proxy_authorization, proxys = proxy_authorization(self._options.proxy)
            hidden = set[str]().union(*map(written, (*known, *secrets, *proxys)))
            self._secrets = tuple(sorted(hidden, key=len, reverse=True))
            try:
                with self._deadline.within(self._options.timeout):
                    return self._exchange(method, path, data, {**headers, **(more or {})}, accept)
            except (requests.RequestException, urllib3.exceptions.HTTPError, OSError, ValueError) as error:
                raise self._failures.broken(error, late=self._deadline.passed) from None

    def _exchange(
        self,
        method: str,
        path: str,
        data: Mapping[str, str] | bytes | None,
        headers: Mapping[str, str],
        accept: tuple[int, ...],
    ) -> Response:
        tls = self._options.tls
        if self._origin[0] == "https":
            check_tls(tls)
        sent = self._clock()
        with self._session.request(
            method,
            self._url + path,
            data=data,
            headers=headers,
            timeout=self._options.timeout,
            allow_redirects=False,
            stream=True,
            verify=False if tls.insecure_skip_verify else str(tls.ca_file or "") or True,
            cert=(str(tls.cert_file), str(tls.key_file)) if tls.cert_file else None,
        ) as response:
            skew = _skew(response.headers.get("Date"), (sent + self._clock()) / 2)
            if response.status_code not in accept:
                raise self._failures.status(response.status_code, response.headers, self._clock())
            return Response(response.status_code, self._body(response), skew, is_page(response.headers))

    def _body(self, response: requests.Response) -> bytes:
        body = bytearray()
        for chunk in response.iter_content(_CHUNK):
            body += chunk
            if len(body) > self._options.max_bytes:
                raise self._failures.too_large()
        if self._deadline.passed:  # an answer without Content-Length ends silently when its socket is shut down
            raise TimeoutError
        return bytes(body)


def encoded(query: Mapping[str, str]) -> str:
    """A query as it stands in a URL: %20 and not +, as not every server takes + for a blank, | as %7C, % as %25."""
    return "&".join(f"{quote(name, safe='')}={quote(value, safe='')}" for name, value in query.items())


def _host_port(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.hostname}:{parts.port or (443 if parts.scheme == 'https' else 80)}"


def _skew(date: str | None, now: float) -> float | None:
    """Server's clock minus ours. Half a second is added, as the header is cut to whole seconds."""
    try:
        return parsedate_to_datetime(date).timestamp() + 0.5 - now if date else None
    except (ValueError, OverflowError):
        return None
