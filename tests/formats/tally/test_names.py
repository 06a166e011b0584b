"""Names and messages of result files become labels."""

from __future__ import annotations

from exporter.formats.jmeter import csv as jmeter_csv
from exporter.formats.tally import Tally, names

START = 1795176000.0


def test_names_are_on_one_line_and_end() -> None:
    """A sampler may be called anything: nothing, two lines, a whole document; what differs stays apart."""
    tally = Tally()
    for name in ("", " ", "Log\n in", "Log in", "x" * 100_000 + "a", "x" * 100_000 + "b"):
        tally.add(tally.endpoint(name), START, 0.1, failed=True, kind=tally.kind("gone:\n" + "y" * 1000))
    run = tally.run("a", "b")
    requests = {end.name: end.figures.requests for end in run.endpoints}
    assert (requests.pop("unnamed"), requests.pop("Log in")) == (2, 2)
    assert len(requests) == 2
    assert all(len(name) == names.LONGEST for name in requests)
    assert run.total.errors == {f"gone: {'y' * 93}…": 6}


def test_sizes_that_no_request_reports_are_missing() -> None:
    """A column of sizes that is empty in every row is not a throughput of 0."""
    import numpy as np

    from exporter.formats.tally.batch import Batch

    tally = Tally()
    number = np.array([tally.endpoint("a")])
    empty = np.array([np.nan])
    tally.add_batch(Batch(number, np.array([START]), np.array([0.1]), np.array([False]), received=empty), str)
    run = tally.run("a", "b")
    assert run.total.received is None
    assert run.timeline is not None
    assert run.timeline.received is None


def test_a_message_may_be_a_whole_response() -> None:
    """A row of JMeter's that is read slowly, for a blank line beside it, may be as long as one that is read fast."""
    header = b"timeStamp,elapsed,label,success,responseMessage\n"
    long = b'1795176000000,10,a,false,"' + b"x,\n" * 100_000 + b'"\n\n'
    tally = Tally()
    reader = jmeter_csv.Reader(tally)
    reader.feed(header + long)
    reader.end()
    assert tally.run("a", "b").total.failures == 1
