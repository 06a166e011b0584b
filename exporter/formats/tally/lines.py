"""Lines out of blocks of bytes that were cut anywhere, with their numbers."""

from __future__ import annotations

from collections.abc import Iterator

from exporter.errors import SourceError

LONGEST = 32 * 1024 * 1024
"""Bytes; no tool writes a longer line, though those of vegeta hold whole responses."""


class LineSplitter:
    """Cuts blocks into lines, without their ends; `number` is the line that was given last, from 1."""

    def __init__(self) -> None:
        self._rest = b""
        self.number = 0

    def feed(self, block: bytes) -> Iterator[str]:
        """The lines that are whole by now."""
        *whole, self._rest = (self._rest + block).split(b"\n")
        for line in whole:
            yield self._decoded(line)

        if len(self._rest) > LONGEST:
            raise SourceError("bad_data", f"line {self.number + 1}: is longer than {LONGEST} bytes")

    def rest(self) -> str:
        """A last line without an end, which may have been cut; empty when there is none."""
        if not self._rest:
            return ""
        rest = self._rest
        self._rest = b""
        return self._decoded(rest)

    @property
    def location(self) -> str:
        return f"line {self.number}"

    def _decoded(self, line: bytes) -> str:
        self.number += 1
        try:
            return line.removesuffix(b"\r").decode()
        except UnicodeDecodeError as error:
            raise SourceError("bad_data", f"{self.location}: is not UTF-8 at byte {error.start + 1}") from None
