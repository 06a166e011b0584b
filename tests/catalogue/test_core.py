"""The first series to know, and the inputs that need no attention."""

from __future__ import annotations

import pytest

from exporter import catalogue
from exporter.catalogue.core import CORE, CoreSeries
from exporter.catalogue.exporter import OWN
from exporter.dashboards.kit import validation

CORE_SERIES = [core for group in CORE.values() for core in group]
INPUTS = {series.name for series in catalogue.ALL if series.is_input}


@pytest.mark.parametrize("core", CORE_SERIES, ids=lambda core: core.name)
def test_its_name_is_published_and_its_query_asks_for_it(core: CoreSeries) -> None:
    """Whoever begins with a series finds it, and the example next to it is a query on published series."""
    assert core.name in {series.name for series in catalogue.ALL} | {series.published for series in OWN}
    names = validation.series_names(core.query or core.name)
    assert core.name in names
    assert names <= validation.PUBLISHED


def test_they_are_few_and_no_inputs() -> None:
    """The list stays short enough to be read, names nothing twice and no input."""
    names = [core.name for core in CORE_SERIES]
    assert len(set(names)) == len(names)
    assert 30 <= len(names) <= 45
    assert not INPUTS & set(names)


def test_inputs_are_the_lesser_part() -> None:
    """Most of what is published has a reader; limits are all inputs, and so are no verdict and no evidence."""
    assert 0 < len(INPUTS) < len(catalogue.ALL) / 3
    names = {series.name for series in catalogue.ALL}
    assert {name for name in names if name.endswith("_limit")} <= INPUTS
    assert not {name for name in INPUTS if name.endswith(("_evidence", "_verdict", "_severity", "_holds"))}
