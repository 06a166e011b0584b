"""Facts about queries, and conversion of other forms to bad and all events."""

from __future__ import annotations

import pytest

from exporter.model.slo import WINDOW, Sli
from exporter.slo.specs import query_facts, rewriting

W = WINDOW


@pytest.mark.parametrize(
    ("query", "labels"),
    [
        ("sum(rate(x[5m]))", ()),
        ("sum by (b, a) (x) - sum by (a, b) (y)", ("a", "b")),
        ("(sum by (a) (x)) * 2", ("a",)),
        ("1 - sum by (a) (x)", ("a",)),
        ("-sum by (a) (x)", ("a",)),
        ("sum by (a) (x) or vector(0)", ("a",)),
        ("sum_over_time((count(x < 0.75))[5m:]) OR on() vector(0)", ()),
        ("rate(x[5m])", None),
        ("sum without (a) (x)", None),
        ("sum without (a) (sum by (a, b) (x))", ("b",)),
        ("topk(3, sum by (a) (x))", ("a",)),
        ('count_values("v", x)', ("v",)),
        ('label_replace(sum by (a) (x), "b", "$1", "a", "(.*)")', ("a", "b")),
        ("histogram_quantile(0.9, sum by (le, a) (x))", ("a",)),
        ("sum by (a, b) (x) * on (a) sum by (a) (y)", ("a",)),
        ("sum by (a, b) (x) * ignoring (b) sum by (a) (y)", ("a",)),
        ("sum by (a, b) (x) * on (a) group_left (c) sum by (a, c) (y)", ("a", "b", "c")),
        ("sum by (a) (y) * on (a) group_right () sum by (a, b) (x)", ("a", "b")),
        ("x * on (a) y", ("a",)),
        ("vector(1)", ()),
        ("scalar(x) * sum by (a) (y)", ("a",)),
    ],
)
def test_labels_of_a_result(query: str, labels: tuple[str, ...] | None) -> None:
    """The labels of a query's result follow from its outermost operators."""
    assert query_facts.parse(query).labels == labels


@pytest.mark.parametrize(
    ("query", "per"),
    [
        (f"sum(rate(x[{W}]))", "second"),
        (f"sum(irate(x[{W}]))", "second"),
        (f"avg_over_time(x[{W}])", "second"),
        (f"sum(increase(x[{W}]))", "window"),
        (f"sum_over_time((count(x))[{W}:])", "window"),
        (f"sum_over_time((sum(rate(x[1m])))[{W}:1m])", "window"),
    ],
)
def test_the_unit_of_a_value(query: str, per: str) -> None:
    """Only functions over the window decide whether a value grows with it."""
    assert query_facts.per(query_facts.parse(query)) == per


@pytest.mark.parametrize(
    "query", ["(" * 300 + "x" + ")" * 300, "abs(" * 9000 + "x" + ")" * 9000, " or ".join("x" * 300), "-" * 9000 + "x"]
)
def test_queries_without_end(query: str) -> None:
    """A query that would take minutes to read, or too much stack, is refused in one line."""
    with pytest.raises(ValueError, match=r"^has \d+ operators and brackets, must have at most 250$"):
        query_facts.parse(query)
    regex = "|".join(f"a-{n}" for n in range(300))
    assert query_facts.parse(f'sum(rate(x{{job=~"{regex}"}}[5m]))').labels == ()


@pytest.mark.parametrize("length", ["1e300", "106751991167300", "99999999999999999999y"])
def test_ranges_without_end(length: str) -> None:
    """An enormous range is refused like any other text that is not PromQL."""
    with pytest.raises(ValueError, match=r"^is not valid PromQL: .*duration"):
        query_facts.parse(f"rate(x[{length}])")


def test_templates() -> None:
    """Spaces and dashes of a template do not matter, comments are removed, and other variables are reported."""
    text = 'sum(rate(x{a="# no comment"}[{{- .window -}}])) # {{.why}}\n + y{b="{{ .service }}"}'
    query, unsupported = query_facts.template(text)
    assert query == 'sum(rate(x{a="# no comment"}[{{.window}}])) \n + y{b="{{ .service }}"}'
    assert unsupported == ["{{.service}}"]


def quotient(errors: str, total: str, per: str = "second", by: tuple[str, ...] = ()) -> Sli:
    return Sli(errors, total, per, by)  # type: ignore[arg-type]


A, B = f'sum(rate(a{{x="/"}}[{W}]))', f"sum(rate(b[{W}]))"


@pytest.mark.parametrize(
    ("query", "sli"),
    [
        (f"{A} / {B}", quotient(A, B)),
        (f"(({A})\n/\n({B}))", quotient(A, B)),
        (f"({A} / {B}) OR on() vector(0)", quotient(A, B)),
        (f"({A} or vector(0)) / {B}", quotient(A, B)),
        (f"{A} / on () {B}", quotient(A, B)),
        (f"1 - {A} / {B}", quotient(f"{B} - ({A} or {B} * 0)", B)),
        (f"1 - ({A} / ignoring (c) {B})", quotient(f"{B} - ({A} or {B} * 0)", B)),
        (f"rate(a[{W}]) / rate(b[{W}])", quotient(f"rate(a[{W}])", f"rate(b[{W}])")),
        (f"({B} - {A}) / {B}", quotient(f"{B} - {A}", B)),
    ],
)
def test_ratios_are_split(query: str, sli: Sli) -> None:
    """Parentheses, an `or vector(0)` and a matching on no labels do not change the operands."""
    assert rewriting.ratio(query) == sli


@pytest.mark.parametrize(
    "query",
    [
        f"{A} / {B} / 2",
        f"{A} / {B} * 100",
        f"{A} / sum(b)",
        f"{A} / sum(increase(b[{W}]))",
        f"sum by (c) (rate(a[{W}])) / on (c) group_left () sum by (c) (rate(b[{W}]))",
        f"2 - {A} / {B}",
        f"avg_over_time(ratio[{W}])",
    ],
)
def test_ratios_that_cannot_be_split(query: str) -> None:
    """Other queries than a quotient of two alike counts are a share of each minute; NaN is a minute without events."""
    sli = rewriting.ratio(query)
    assert (sli.errors, sli.total, sli.per) == (query, f"({query}) > bool -Inf", "minute")


def test_rest_of_a_share() -> None:
    """The share of good events is 1 minus that of bad ones, and the other way round."""
    assert rewriting.rest(f"{A} / {B}") == f"1 - ({A} / {B})"
    assert rewriting.rest(f"1 - ({A} / {B})") == f"{A} / {B}"


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("x", f"rate(x[{W}])"),
        ('sum(x{a="}"})', f'sum(rate(x{{a="}}"}}[{W}]))'),
        (
            "sum by (rate) (x:y) / ignoring (b) group_left (c) z{}",
            f"sum by (rate) (rate(x:y[{W}])) / ignoring (b) group_left (c) rate(z{{}}[{W}])",
        ),
        ("sum(x) by (job)", f"sum(rate(x[{W}])) by (job)"),
        ('{__name__="x"}', f'rate({{__name__="x"}}[{W}])'),
        ('label_replace(x, "a", "$1", "b", "(.*)")', f'label_replace(rate(x[{W}]), "a", "$1", "b", "(.*)")'),
        ('sum(rate(x{a="[5m]"}[5m])) - sum(rate(y[5m]))', f'sum(rate(x{{a="[5m]"}}[{W}])) - sum(rate(y[{W}]))'),
        (f"sum(rate(x[{W}]))", f"sum(rate(x[{W}]))"),
    ],
)
def test_windows_are_inserted(query: str, expected: str) -> None:
    """Selectors get a rate over the window, and ranges become the window; texts in quotes stay."""
    assert rewriting.windowed(query, "rate") == expected


@pytest.mark.parametrize(
    "query", ["x offset 5m", "sum(rate(x[5m])) / sum(rate(y[1m]))", "rate(x[5m]) + y", "max_over_time(x[5m:1m])", "1"]
)
def test_windows_that_cannot_be_inserted(query: str) -> None:
    """Where it is unclear to what the window applies, the author has to write it."""
    with pytest.raises(ValueError, match="unclear where to insert it"):
        rewriting.windowed(query, "rate")


def test_good_events_keep_their_labels() -> None:
    """Budgets for each value of a label stay separate, also where one of the queries keeps all of its labels."""
    sli = rewriting.good_events(f'sum by (a) (rate(x{{c="2"}}[{W}]))', f"rate(x[{W}])")
    whole = f"sum by (a) (rate(x[{W}]))"
    assert sli == Sli(f'{whole} - (sum by (a) (rate(x{{c="2"}}[{W}])) or {whole} * 0)', f"rate(x[{W}])", by=("a",))
    with pytest.raises(ValueError, match=r"keeps other labels \(b\) than the query for all events \(a\)"):
        rewriting.good_events(f"sum by (b) (rate(y[{W}]))", whole)
