"""Names and messages of result files become labels."""

from __future__ import annotations

from exporter.formats.jmeter import csv as jmeter_csv
from exporter.formats.tally import Tally, names

START = 1795176000.0


def test_names_are_on_one_line_and_end() -> None:
    """A sampler may be called anything: nothing, two lines, a whole document; what differs stays apart."""
    one = Tally()
    for name in ("", " ", "Log\n in", "Log in", "x" * 100_000 + "a", "x" * 100_000 + "b"):
        one.add(one.endpoint(name), START, 0.1, failed=True, kind=one.kind("gone:\n" + "y" * 1000))
    run = one.run("a", "b")
    found = {end.name: end.figures.requests for end in run.endpoints}
    assert (found.pop("unnamed"), found.pop("Log in")) == (2, 2)
    assert len(found) == 2
    assert all(len(name) == names.LONGEST for name in found)
    assert run.total.errors == {f"gone: {'y' * 93}…": 6}


def test_sizes_that_no_request_tells_are_absent() -> None:
    """A column of sizes that is empty in every row is no throughput of 0."""
    import numpy as np

    from exporter.formats.tally.batch import Batch

    one = Tally()
    number = np.array([one.endpoint("a")])
    empty = np.array([np.nan])
    one.add_batch(Batch(number, np.array([START]), np.array([0.1]), np.array([False]), received=empty), str)
    run = one.run("a", "b")
    assert run.total.received is None
    assert run.timeline is not None
    assert run.timeline.received is None


def test_a_message_may_be_a_whole_response() -> None:
    """A row of JMeter's that is read slowly, for a blank line beside it, may be as long as one that is read fast."""
    header = b"timeStamp,elapsed,label,success,responseMessage\n"
    long = b'1795176000000,10,a,false,"' + b"x,\n" * 100_000 + b'"\n\n'
    one = Tally()
    reader = jmeter_csv.Reader(one)
    reader.feed(header + long)
    reader.end()
    assert one.run("a", "b").total.failures == 1
