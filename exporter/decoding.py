"""JSON and plain values -> typed records, from any thread.

msgspec resolves a type on first use. If two threads do that at the same time for the same type, version 0.22 ends the
process with a segmentation fault. So each type is resolved here, once, under a lock.
"""

from __future__ import annotations

import threading
from typing import Any, TypeVar

import msgspec

T = TypeVar("T")

_DECODERS: dict[Any, msgspec.json.Decoder[Any]] = {}
_LOCK = threading.Lock()


def decode(content: bytes | str | msgspec.Raw, type: type[T]) -> T:
    """A JSON document as a value of the type; raises msgspec.DecodeError or UnicodeDecodeError."""
    result: T = _decoder(type).decode(content)
    return result


def convert(value: object, type: type[T]) -> T:
    """Mappings, lists and scalars as a value of the type; raises msgspec.ValidationError."""
    _decoder(type)
    return msgspec.convert(value, type)


def _decoder(type: Any) -> msgspec.json.Decoder[Any]:
    decoder = _DECODERS.get(type)
    if decoder is not None:
        return decoder

    with _LOCK:
        # Types share parts, so two different types must not be resolved at the same time either.
        return _DECODERS.setdefault(type, msgspec.json.Decoder(type))
