"""The style of our own rules files: readable, with plain scalars and literal blocks for texts of several lines."""

from __future__ import annotations

from functools import partial

import yaml

from exporter.slo.rules.render import EXPR_INDENT, VALUE_INDENT, Style


class _Dumper(yaml.SafeDumper):
    """Writes a text of several lines as a literal block."""


def _represented(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    style = "|" if "\n" in text else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Dumper.add_representer(str, _represented)


def written(text: str, indent: int) -> str:
    """A string as PyYAML writes it behind a key; the lines of a block begin at the column `indent`."""
    # Behind a key, as a string alone would be followed by the mark that ends a document.
    document = yaml.dump({"key": text}, Dumper=_Dumper, width=10_000)
    first, *lines = document.removeprefix("key: ").rstrip("\n").split("\n")
    margin = " " * (indent - 2)  # PyYAML's own is 2
    return "\n".join([first, *(f"{margin}{line}" if line else "" for line in lines)])


READABLE = Style(expr=partial(written, indent=EXPR_INDENT), value=partial(written, indent=VALUE_INDENT))
