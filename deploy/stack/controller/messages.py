"""A request as received, and the responses; refusals are HTML, like the controller's own."""

from __future__ import annotations

import html
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from http import HTTPStatus
from urllib.parse import parse_qsl, unquote, urlsplit

import msgspec

JSON = "application/json;charset=UTF-8"
HTML = "text/html;charset=utf-8"
XML = "application/xml"

HUNG_UP = 0
"""As a status: the connection ends without a response."""


@dataclass(frozen=True)
class Request:
    """One request."""

    method: str
    target: str
    """Path and query as they were sent."""
    headers: Mapping[str, str]
    """Names in lower case."""
    body: bytes = b""

    @cached_property
    def path(self) -> str:
        return unquote(urlsplit(self.target).path)

    @cached_property
    def query(self) -> dict[str, str]:
        """Parameters, decoded once; of duplicates, the last."""
        return dict(parse_qsl(urlsplit(self.target).query, keep_blank_values=True))

    @property
    def json(self) -> bool:
        return self.query.get("output", "").upper() == "JSON"


@dataclass(frozen=True, slots=True)
class Answer:
    """A response; Date and Content-Length are added unless they are set."""

    status: int
    body: bytes = b""
    type: str = JSON
    headers: Mapping[str, str] = field(default_factory=dict)


class Refusal(Exception):  # noqa: N818 - it is a response
    """A response without success, raised from any depth of the rules."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.answer = refusal(status, text)


def refusal(status: int, text: str) -> Answer:
    """An error report of the servlet container."""
    phrase = HTTPStatus(status).phrase
    page = (
        f"<html><head><title>Error report</title></head><body><h1>HTTP Status {status} - {phrase}</h1><hr/>"
        f"<p><b>type</b> Status report</p><p><b>message</b> {phrase}</p>"
        f"<p><b>description</b> {html.escape(text)}</p><hr/></body></html>"
    )
    return Answer(status, page.encode(), HTML)


def as_json(data: object) -> Answer:
    return Answer(200, msgspec.json.encode(data))


def as_xml(name: str, rows: list[dict[str, object]]) -> Answer:
    """The response without output=JSON: flat fields only."""
    items = "".join(f"<item>{_fields(row)}</item>" for row in rows)
    return Answer(200, f"<{name}>{items}</{name}>".encode(), XML)


def _fields(row: dict[str, object]) -> str:
    return "".join(f"<{key}>{html.escape(str(value))}</{key}>" for key, value in row.items())


def as_rows(request: Request, name: str, rows: list[dict[str, object]]) -> Answer:
    """In the requested format: JSON, or XML with this name."""
    if request.json:
        return as_json(rows)
    return as_xml(name, rows)
