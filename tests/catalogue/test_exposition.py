"""The page: right in both formats by prometheus_client's parsers, and nothing for promtool to say."""

from __future__ import annotations

import gzip
import math
import sys
import zlib
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exporter import catalogue
from exporter.catalogue.exporter import OWN, SelfSeries
from exporter.catalogue.exposition import MetricsPage, counters, number, render
from exporter.catalogue.live import LIVE
from exporter.catalogue.series import Row, Series
from exporter.commands.configuration import DEMO
from exporter.model.results import Gap, Snapshot
from exporter.model.settings import AnalysisSettings
from exporter.pipeline import round_once
from exporter.sources import read
from tests.exposition import families, lint, samples

EMPTY = Snapshot(0.0, None, None, {}, {"production": "production", "pte": "pte"}, AnalysisSettings())
AT = 1_760_000_040.0


def page(rows: Iterable[Row], labels: tuple[str, ...] = ("a", "b"), help: str = "Some help.") -> MetricsPage:
    return render(EMPTY, [Series("pte_thing_seconds", help, labels, lambda _: rows)])


@pytest.fixture(scope="module")
def demo() -> Snapshot:
    return round_once(read(DEMO), AT)


@given(
    st.dictionaries(
        st.tuples(st.text(), st.text(alphabet='ab"\\\n{},= ')),
        st.floats(allow_nan=False, allow_infinity=False),
        max_size=5,
    )
)
def test_any_label_and_value_survive_both_formats(rows: dict[tuple[str, ...], float]) -> None:
    """Whatever stands in labels and values, the parsers read back what was written."""
    body = page(rows.items()).body
    expected = {
        ("pte_thing_seconds", frozenset(zip(("a", "b"), labels, strict=True))): value for labels, value in rows.items()
    }
    assert samples(body) == expected
    assert samples(body + b"# EOF\n", openmetrics=True) == expected


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_what_is_not_finite_never_reaches_the_page(value: float) -> None:
    """A value that is no number is no evidence, and its neighbours stay."""
    rendered = page([(("x", "y"), value), (("x", "z"), 1.0)])
    assert list(samples(rendered.body).values()) == [1.0]
    assert rendered.series == 1


def test_a_family_without_rows_is_left_out() -> None:
    """Without evidence there is not even a HELP line."""
    assert page([]) == page([(("x", "y"), math.nan)])
    assert page([]).body == b""


def test_the_lines_of_a_family() -> None:
    """HELP, TYPE and UNIT come first, then rows sorted by their labels."""
    assert page([(("b", "1"), 2.5), (("a", "2"), 1.0), (("a", "1"), 0)], help='A "help" with \\.').body == (
        b"# HELP pte_thing_seconds A 'help' with /.\n"
        b"# TYPE pte_thing_seconds gauge\n"
        b"# UNIT pte_thing_seconds seconds\n"
        b'pte_thing_seconds{a="a",b="1"} 0\n'
        b'pte_thing_seconds{a="a",b="2"} 1\n'
        b'pte_thing_seconds{a="b",b="1"} 2.5\n'
    )


def test_counters_have_their_suffix_in_both_formats() -> None:
    """A counter's samples end in _total, its head only in the text format; without rows there is none."""
    rows = {(f'{n}"\\\n', "y"): n / 3 for n in range(3)}
    own = SelfSeries("pte_things", "counter", "Some help.", ("a", "b"))
    expected = {
        ("pte_things_total", frozenset(zip(("a", "b"), labels, strict=True))): value for labels, value in rows.items()
    }
    for openmetrics, end in ((False, b""), (True, b"# EOF\n")):
        rendered = counters(own, rows.items(), openmetrics=openmetrics) + end
        assert samples(rendered, openmetrics=openmetrics) == expected
        (family,) = families(rendered, openmetrics=openmetrics)
        assert (family.type, family.name) == ("counter", "pte_things")
        assert counters(own, (), openmetrics=openmetrics) == b""


def test_a_series_without_labels_has_no_braces() -> None:
    """The plain form is the one that every parser knows."""
    assert page([((), True)], labels=()).body.endswith(b"\npte_thing_seconds 1\n")


@pytest.mark.parametrize(
    ("value", "text"), [(0.0, "0"), (1, "1"), (True, "1"), (-2.0, "-2"), (0.1, "0.1"), (1e-7, "1e-07"), (1e21, "1e+21")]
)
def test_numbers_are_written_as_prometheus_does(value: float, text: str) -> None:
    """The shortest form that reads back as the same number, without a useless fraction."""
    assert number(value) == text


def test_a_compressed_page_is_one_gzip_member() -> None:
    """Decompressing gives body and tail, also to a reader that stops after the first member."""
    rendered = page([((str(n), "y"), n) for n in range(1000)])
    packed = rendered.gzipped(b"the tail\n")
    assert gzip.decompress(packed) == rendered.body + b"the tail\n"
    reader = zlib.decompressobj(zlib.MAX_WBITS | 16)
    assert reader.decompress(packed) == rendered.body + b"the tail\n"
    assert reader.eof
    assert not reader.unused_data


def test_an_empty_page_can_be_compressed() -> None:
    """Before the first poll there is only the tail."""
    assert gzip.decompress(MetricsPage().gzipped(b"tail")) == b"tail"


def test_the_demos_page_is_the_same_in_both_formats(demo: Snapshot) -> None:
    """Both parsers read the same series from one body, none stands twice, and the count is right."""
    rendered = render(demo, catalogue.ALL)
    text = samples(rendered.body)
    assert text == samples(rendered.body + b"# EOF\n", openmetrics=True)
    assert len(text) == rendered.series > 1000


def test_every_row_of_the_catalogue_is_on_the_page(demo: Snapshot) -> None:
    """The page holds what the readers give, no more and no less."""
    expected = {
        (series.name, frozenset(zip(series.labels, labels, strict=True))): float(value)
        for series in catalogue.ALL
        for labels, value in series.read(demo)
        if math.isfinite(value)
    }
    assert samples(render(demo, catalogue.ALL).body) == expected


def test_rendering_is_repeatable(demo: Snapshot) -> None:
    """The same snapshot gives the same bytes."""
    assert render(demo, catalogue.ALL) == render(demo, catalogue.ALL)


@pytest.mark.parametrize("version", ["2.42", "3"])
def test_promtool_has_nothing_to_say(demo: Snapshot, version: str) -> None:
    """`promtool check metrics` accepts the demo's page without a remark."""
    assert lint(render(demo, catalogue.ALL).body, version) == ""


def test_units_are_the_ends_of_names(demo: Snapshot) -> None:
    """OpenMetrics wants a unit to be the last part of its family's name."""
    result = families(render(demo, catalogue.ALL).body + b"# EOF\n", openmetrics=True)
    assert {family.unit for family in result} > {"seconds", "ratio"}
    assert all(family.name.endswith(family.unit) for family in result)


def test_help_texts_need_no_escaping() -> None:
    """Both formats escape a help text alike only when there is nothing to escape."""
    helps = [series.help for series in catalogue.ALL] + [own.help for own in (*OWN, *LIVE)]
    assert not set("".join(helps)) & set('"\\\n')


def test_a_gap_without_a_ratio_has_evidence() -> None:
    """Failures against a production without any have a severity and its evidence, though no ratio."""
    gap = Gap("error_ratio", 0.0, 0.05, None, "critical", "no_evidence", {}, None)
    snapshot = round_once(read(DEMO), AT)
    shop = replace(snapshot.applications["shop"], gaps=(gap,))
    result = samples(render(replace(snapshot, applications={"shop": shop}), catalogue.ALL).body)
    labels = frozenset({("application", "shop"), ("signal", "error_ratio")})
    assert result["pte_gap_evidence", labels] == 1.0
    assert result["pte_gap_severity", labels] == 4.0
    assert ("pte_gap_ratio", labels) not in result


def test_names_are_declared_once() -> None:
    """No series is published under two declarations."""
    names = [series.name for series in catalogue.ALL] + [own.published for own in (*OWN, *LIVE)]
    assert len(names) == len(set(names))


def test_the_golden_page(demo: Snapshot) -> None:
    """The whole page of the demo at a fixed time is as it was; values may differ in their last digits."""
    # After a wanted change: python -m tests.catalogue.test_exposition > tests/golden/metrics.txt
    golden = (Path(__file__).parents[1] / "golden" / "metrics.txt").read_bytes()
    rendered = render(demo, catalogue.ALL).body
    assert without_values(rendered) == without_values(golden)
    assert samples(rendered) == pytest.approx(samples(golden), rel=1e-6, abs=1e-9)


def without_values(page: bytes) -> list[str]:
    """Comment lines whole, and of the others what comes before the value."""
    return [line if line.startswith("#") else line.rpartition(" ")[0] for line in page.decode().splitlines()]


if __name__ == "__main__":
    sys.stdout.buffer.write(render(round_once(read(DEMO), AT), catalogue.ALL).body)
