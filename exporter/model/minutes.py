"""A series of values as arrays, for sums that are computed while reading."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Range:
    """One series: shapes (n,), Unix seconds ascending (each the end of its step) and values, both finite."""

    labels: Mapping[str, str]
    times: NDArray[np.float64]
    values: NDArray[np.float64]
