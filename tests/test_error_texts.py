"""What the program decides rests on the fields of errors, never on their texts, which may be reworded at any time."""

from __future__ import annotations

from pathlib import Path

import pytest

import exporter
from tests.error_texts import decisions

TOP = Path(exporter.__file__).parent

ONLY_IN_WORDS = {("clients/http/failures.py", "_tunnel_status")}
"""Functions that make a field of what a library has in the text of its error alone."""


@pytest.mark.parametrize("path", sorted(TOP.rglob("*.py")), ids=lambda path: str(path.relative_to(TOP)))
def test_no_decision_rests_on_the_text_of_an_error(path: Path) -> None:
    """Give the error a field instead; what only shows the text belongs into SHOWING of tests/error_texts.py."""
    own = str(path.relative_to(TOP))
    problems = decisions(path.read_text(encoding="utf-8"))
    assert [decision for decision in problems if (own, decision.function) not in ONLY_IN_WORDS] == []


def _handled(line: str, error: str = "SourceError") -> str:
    return f"def f():\n    try:\n        g()\n    except {error} as failure:\n        {line}\n"


@pytest.mark.parametrize(
    "line",
    [
        'return "(403" in str(failure)',
        'return str(failure) == "gone"',
        'return "gone" in failure.args[0]',
        'return f"{failure}".startswith("line")',
        'return str(failure).lower().endswith("gone")',
        'return str(failure).partition(":")[0]',
        'return str(failure).split(": ")[0]',
        'return str(failure).replace("there", "here")',
        'return re.search("40[13]", str(failure))',
        "return PATTERN.match(str(failure))",
        "return CAUSES[str(failure)]",
        "return CAUSES.get(str(failure))",
        "return causes_of(failure.reason, str(failure))",
        "return causes_of(failure.reason, said=str(failure))",
        "return 1 if str(failure) else 2",
        "return not str(failure)",
        "return len(str(failure)) > 80",
        'text = str(failure); return "gone" in text',
        'text = f"{failure}"; return text.find("gone")',
        "return failure.strerror == 'Permission denied'",
        "return [cause for cause in CAUSES if cause.mark in str(failure)]",
    ],
)
def test_each_way_to_ask_is_found(line: str) -> None:
    """Whatever looks into the text of an error, or hands it to somebody who may."""
    assert decisions(_handled(line))


@pytest.mark.parametrize(
    "source",
    [
        'def f(error: SourceError): return "gone" in str(error)',
        'def f(failure: OSError | None): return "gone" in str(failure)',
        'def f(failures: list[OSError]): return [each for each in failures if "gone" in str(each)]',
        'class A:\n    async def f(self): return str(self.error).startswith("a")',
        'def f(): return [text for key, text in problems(options) if "gone" in text]',
        'def f(problem): return problem.text.startswith("missing")',
        'def f(finding): return "none" in finding.result',
    ],
)
def test_wherever_the_error_comes_from(source: str) -> None:
    """Caught, handed in, kept in an attribute, or a field of the records that are made of errors."""
    assert decisions(source)


@pytest.mark.parametrize(
    ("line", "error"),
    [
        ("return failure.status == 403", "SourceError"),
        ('return failure.reason in ("auth", "not_found")', "SourceError"),
        ("raise SourceError('bad_data', str(failure)) from None", "ValueError"),
        ("return failed(str(failure), *causes_of(failure))", "SourceError"),
        ('return " ".join(str(failure).split())', "ValueError"),
        ('return str(failure).replace("STAND_IN", "name")', "ValueError"),
        ('return "gone" in names', "SourceError"),
    ],
)
def test_fields_may_be_asked_and_texts_be_shown(line: str, error: str) -> None:
    """Nor does it matter in which words the text of a library is shown."""
    assert decisions(_handled(line, error)) == []
