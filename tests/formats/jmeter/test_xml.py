"""JMeter's XML: which of nested samples count, and which input is refused."""

from __future__ import annotations

import random
import tracemalloc
from collections.abc import Iterator
from xml.sax.saxutils import quoteattr

import pytest

from exporter import formats
from exporter.errors import SourceError
from exporter.formats.jmeter import samples, xml
from exporter.formats.tally import Tally
from exporter.model.loadrun import LoadRun

START = 1_760_000_000_000
HEAD = '<?xml version="1.0" encoding="UTF-8"?>\n<testResults version="1.2">\n'
END = "</testResults>\n"


def sample(start: int, elapsed: int, label: str = "GET /", inside: str = "", **other: object) -> str:
    """An httpSample on its own line, `start` milliseconds after the first."""
    plain = {"rc": "200", "rm": "OK", "tn": "Buyers 1-1", "s": "true", "by": 100, "sby": 10, "na": 3}
    values = {"t": elapsed, "ts": START + start, "lb": label, **plain, **other}
    attributes = " ".join(f"{name}={quoteattr(str(value))}" for name, value in values.items() if value is not None)
    return f"<httpSample {attributes}>\n{inside}</httpSample>\n"


def transaction(start: int, elapsed: int, inside: str = "", samples: int = 2, label: str = "Buy") -> str:
    message = f"Number of samples in transaction : {samples}, number of failing samples : 0"
    return sample(start, elapsed, label, inside, rm=message).replace("httpSample", "sample")


def read(text: str | bytes, step: int = formats.BLOCK) -> LoadRun:
    content = text.encode() if isinstance(text, str) else text
    tally = Tally()
    reader = xml.Reader(tally)
    for at in range(0, len(content), step):
        reader.feed(content[at : at + step])
    reader.end()
    return tally.run("jmeter", "jmeter-xml")


def labels(run: LoadRun) -> dict[str, int]:
    return {endpoint.name: endpoint.figures.requests for endpoint in run.endpoints}


@pytest.mark.parametrize(
    ("samples", "counted"),
    [
        (sample(0, 9, "A") + sample(9, 4, "B"), {"A": 1, "B": 1}),
        (sample(0, 9, "A", sample(0, 4, "A-0") + sample(4, 5, "A-1", sample(4, 2, "A-1-0"))), {"A": 1}),
        (transaction(0, 9, sample(0, 4, "A") + sample(4, 5, "B", sample(4, 5, "B-0"))), {"A": 1, "B": 1}),
        (transaction(0, 9, transaction(0, 4, sample(0, 4, "A")) + sample(4, 5, "B")), {"A": 1, "B": 1}),
        (sample(0, 4, "A") + sample(4, 5, "B") + transaction(0, 9) + sample(9, 1, "A"), {"A": 2, "B": 1}),
        (sample(0, 4, "A", tn="t 2") + transaction(0, 9) + transaction(9, 9), {"A": 1, "Buy": 2}),
        (sample(0, 4, "A") + transaction(9, 0, samples=0), {"A": 1}),
    ],
)
def test_the_requests_count_and_neither_what_is_in_them_nor_what_holds_them(
    samples: str, counted: dict[str, int]
) -> None:
    """The outermost samples except transactions; a transaction only if none of its requests is in the file."""
    assert labels(read(HEAD + samples + END)) == counted
    assert labels(read(HEAD + samples + END, 7)) == counted


def test_figures_come_from_the_attributes() -> None:
    """Times, sizes, users and kinds of errors, an assertion's message where the code means success."""
    assertion = (
        "<assertionResult><name>no failure</name><failure>false</failure><failureMessage>quiet</failureMessage>"
        "</assertionResult>\n<assertionResult><name>price</name><failure>true</failure><error>false</error>"
        "<failureMessage>no price\nin it</failureMessage></assertionResult>\n"
    )
    run = read(
        HEAD
        + sample(0, 250, "A &amp; <B>", by=40, na=7)
        + sample(100, 50, "C", assertion, s="false", by=2)
        + sample(200, 50, "C", s="false", rc="503")
        + END
    )
    assert labels(run) == {"A &amp; <B>": 1, "C": 2}
    assert run.total.errors == {"no price": 1, "503": 1}
    assert (run.total.received, run.total.sent, run.users, run.complete) == (142, 30, 7, True)
    assert (run.start, run.end) == (START / 1000, START / 1000 + 0.25)
    assert (run.total.latency.min, run.total.latency.max) == (0.05, 0.25)


def test_hidden_requests_are_reported() -> None:
    """A transaction whose requests are hidden is a request with all of their time."""
    assert samples.HIDDEN in read(HEAD + transaction(0, 9) + END).warnings


BILLION = '<!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;">]>'


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (HEAD.replace("<testResults", BILLION + "<testResults") + END, "line 2: declares a DTD or an entity"),
        (
            HEAD.replace("<testResults", '<!DOCTYPE testResults SYSTEM "file:///etc/hostname"><testResults') + END,
            "line 2: declares a DTD",
        ),
        (HEAD + sample(0, 9) + "<oops>\n" + END, "line 6: is not valid XML: mismatched tag"),
        (HEAD + sample(0, 9) + "&nothing;" + END, "line 5: is not valid XML: undefined entity"),
        (HEAD.replace("testResults", "testsuites"), "line 2: begins with testsuites, expected testResults"),
        (HEAD + sample(0, 9) + sample(0, 9, t=None) + END, "line 5: a sample has no t, expected milliseconds"),
        (HEAD + sample(0, 9, t="9.5") + END, "line 3: t is 9.5, expected a whole number"),
        (HEAD + sample(0, -9) + END, "line 3: a latency of -0.009 seconds"),
        (HEAD + sample(0, 9, ts="2025-10-09") + END, "line 3: ts is 2025-10-09, expected a whole number"),
        (HEAD + sample(0, 9, s="maybe") + END, "line 3: a sample needs lb, its label, and s, true or false"),
        (HEAD + sample(0, 9, lb=None) + END, "line 3: a sample needs lb"),
        (HEAD + sample(0, 9, sc=5) + END, "line 3: sc, the number of samples, is 5, expected 1"),
        (HEAD + "<a>\n" * 200, "line 102: has elements 101 deep"),
        (HEAD + END, "has no requests"),
    ],
)
def test_bad_input_is_refused_with_its_line(text: str, message: str) -> None:
    """Problem, location and expected value, in one line."""
    with pytest.raises(SourceError) as error:
        read(text)
    assert message in str(error.value)
    assert "\n" not in str(error.value)


def test_other_encodings_are_read_as_declared() -> None:
    """Labels in Latin-1 are those that were written."""
    text = (HEAD + sample(0, 9, "größe") + END).replace("UTF-8", "ISO-8859-1")
    assert labels(read(text.encode("latin-1"))) == {"größe": 1}


def test_a_file_that_breaks_off_is_not_complete() -> None:
    """What is whole counts."""
    run = read(HEAD + sample(0, 9) + sample(9, 9)[:30])
    assert (run.total.requests, run.complete) == (1, False)
    assert any("is incomplete, it ends on line 5" in warning for warning in run.warnings)


def test_a_report_of_tests_is_none_of_jmeters() -> None:
    """Told by the first element, behind declarations, comments and a DTD."""
    assert xml.recognise(b"<?xml version='1.0'?>\n<!-- of JMeter -->\n<testResults version='1.2'>")
    assert xml.recognise(BILLION.encode() + b"<testResults>")
    assert not xml.recognise(b"<?xml version='1.0'?><testsuites><testResults/></testsuites>")
    assert not xml.recognise(b"text <testResults>")


def blocks(samples: int) -> Iterator[bytes]:
    chance = random.Random(5)
    yield HEAD.encode()
    body = "<responseData>" + "x" * 400 + "</responseData>"
    for number in range(samples):
        yield sample(number, chance.randrange(900), f"GET /{number % 9}", body, tn=f"t {number % 20}").encode()
    yield END.encode()


def peak(samples: int) -> int:
    """Bytes of the largest memory that reading so many samples took, with a warm Tally."""
    tally = Tally()
    reader = xml.Reader(tally)
    tracemalloc.start()
    try:
        for block in blocks(samples):
            reader.feed(block)
        reader.end()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_memory_does_not_grow_with_the_file() -> None:
    """Elements are let go as soon as they end."""
    assert peak(27_000) < 1.2 * peak(9000)


def test_a_comment_without_end_is_refused() -> None:
    """The parser would keep it all, and start again with every block."""
    reader = xml.Reader(Tally())
    reader.feed(b'<testResults version="1.2"><!--' + b"x" * (15 << 20))
    with pytest.raises(SourceError, match="has a tag or comment of more than 16777216 bytes"):
        reader.feed(b"x" * (2 << 20))
