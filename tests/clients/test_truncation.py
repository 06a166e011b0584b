"""JSON that was cut off is distinguished from text that is not JSON."""

from __future__ import annotations

import msgspec
import pytest

from exporter.clients.truncation import is_cut_off

ANSWER: dict[str, object] = {
    "status": "success",
    "data": {"result": [{"metric": {"a": 'b\\ "c} \u20ac'}, "value": [1.5, "NaN"]}, {"value": [-17, 1e300]}]},
    "more": [True, False, None, {}],
}


def test_every_beginning_is_cut_off() -> None:
    """Wherever it ends: between two tokens, inside a string, a letter or a word; but not inside a number."""
    whole = msgspec.json.encode(ANSWER)
    missed = [whole[:end] for end in range(len(whole)) if not is_cut_off(whole[:end])]
    assert all(beginning.endswith((b"-", b".", b"e", b"+")) for beginning in missed)
    assert not is_cut_off(whole)


@pytest.mark.parametrize(
    "body", [b"<html>", b"not found", b"{{ template }}", b"{not json", b'{"a": nope', b"[1]", b"7"]
)
def test_something_else_is_not(body: bytes) -> None:
    """A page, an error in words, or JSON that is whole."""
    assert not is_cut_off(body)


@pytest.mark.parametrize("body", [b"", b" \n"])
def test_an_empty_answer_lacks_everything(body: bytes) -> None:
    """Somebody hung up before the first byte."""
    assert is_cut_off(body)
