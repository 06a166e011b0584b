"""Windows put together into stretches, and masks that are short and keep each application to its own window."""

from __future__ import annotations

from itertools import pairwise

import promql_parser
import pytest
from hypothesis import given
from hypothesis import strategies as st

from exporter.model.observation import Window
from exporter.sources.prometheus.stretches import MOST, is_tight, masked, stretches

MINUTES = st.integers(1, 500)
WINDOWS = st.dictionaries(
    st.text(min_size=1, max_size=8),
    st.builds(lambda start, length: Window(start * 60.0, (start + length) * 60.0), MINUTES, MINUTES),
    max_size=30,
)
MAX_QUERY = 16 * 1024
"""VictoriaMetrics' -search.maxQueryLen."""


@given(WINDOWS)
def test_each_window_is_in_one_stretch(windows: dict[str, Window]) -> None:
    """Stretches are few and in order, do not touch, and each window lies in just one of them."""
    result = stretches(windows)
    assert len(result) <= MOST
    assert {name: window for _, heap in result for name, window in heap.items()} == windows
    assert sum(len(heap) for _, heap in result) == len(windows)
    for hull, heap in result:
        assert hull == Window(min(w.start for w in heap.values()), max(w.end for w in heap.values()))
    assert all(earlier.end < later.start for (earlier, _), (later, _) in pairwise(result))


def test_smallest_gaps_are_closed_first() -> None:
    """One window too many joins its nearest neighbour."""
    windows = {f"a{day}": Window(day * 86400.0, day * 86400.0 + 3600) for day in range(MOST)}
    near = Window(86400.0 + 7200, 86400.0 + 9000)
    result = stretches({**windows, "near": near})
    assert len(result) == MOST
    assert result[1] == (Window(86400.0, near.end), {"a1": windows["a1"], "near": near})


@given(WINDOWS.filter(bool))
def test_mask_is_promql(windows: dict[str, Window]) -> None:
    """Whatever applications are called, the masked expression is PromQL."""
    hull = Window(min(w.start for w in windows.values()), max(w.end for w in windows.values()))
    promql_parser.parse(masked("sum by (application) (x)", hull, windows))


@pytest.mark.parametrize(("windows", "limit"), [(1, 3_500), (2, 3_700), (20, 6_300), (150, 15_700)])
def test_mask_is_short(windows: int, limit: int) -> None:
    """200 applications fit into a query of VictoriaMetrics when they share windows, and 150 with a window each."""
    hull = Window(1795170000.0, 1795180000.0)
    count = 150 if windows == 150 else 200
    mapping = {f"application-{i:03d}": Window(hull.start + 60.0 * (i % windows), hull.end - 60) for i in range(count)}
    assert len(masked("x", hull, mapping)) < limit < MAX_QUERY


def test_one_window_needs_no_mask() -> None:
    """Where all applications have the hull for their window the expression stays as it is."""
    hull = Window(0.0, 600.0)
    assert masked("x", hull, {"a": hull, "b": Window(0.0, 600.0)}) == "x"
    assert masked("x", hull, {"a": hull, "b": Window(60.0, 600.0)}) != "x"


def test_tight() -> None:
    """A hull of up to twice its longest window is queried without a mask."""
    windows = {"a": Window(0.0, 600.0), "b": Window(900.0, 1200.0)}
    assert is_tight(Window(0.0, 1200.0), windows)
    assert not is_tight(Window(0.0, 1260.0), windows)
