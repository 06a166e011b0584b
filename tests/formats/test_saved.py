"""Saved runs may have been written by hand: what cannot be is refused."""

from __future__ import annotations

import pytest

from exporter.errors import SourceError
from exporter.formats.report_json import load_run

ONCE = '{"name":"a","figures":{"requests":7}}'


@pytest.mark.parametrize(
    ("total", "endpoints", "text"),
    [
        ('{"requests":1' + "0" * 400 + "}", "", "is larger than any measurement"),
        ('{"requests":5,"latency":{"p50":1e308}}', "", "is larger than any measurement"),
        ('{"requests":5,"latency":{"min":9,"max":1}}', "", "the minimum, 9, is above the maximum, 1"),
        ('{"requests":5,"failures":1,"errors":{"a":9}}', "", "9 errors of 1 failures"),
        ('{"requests":14}', f"{ONCE},{ONCE}", "duplicate endpoint"),
    ],
)
def test_numbers_that_cannot_be_are_refused(total: str, endpoints: str, text: str) -> None:
    """Counts beyond any float, errors beyond the failures, a duplicate endpoint."""
    head = '{"pte_load_run":1,"result":{"tool":"x","format":"y","start":1795176000,"end":1795176001'
    with pytest.raises(SourceError) as caught:
        load_run(f'{head},"total":{total},"endpoints":[{endpoints}]}}}}'.encode())
    assert text in str(caught.value)
