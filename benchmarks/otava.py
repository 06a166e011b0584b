"""Apache Otava, for comparison only: in its own environment, because it pins another numpy.

Of its dependencies only numpy and scipy serve its analysis; the others are clients of databases and chats.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

VERSION = "0.8.0"

_FOLDER = Path(__file__).parent.parent / ".cache" / f"otava-{VERSION}"

_CODE = """
import json, sys
import numpy as np
from otava.analysis import compute_change_points
request = json.load(sys.stdin)
least = request["least"]
def points(values):
    try:
        return compute_change_points(values, min_magnitude=least)[0]
    except ValueError:  # 0.8.0 fails where two of its windows find the same change: one window then
        return compute_change_points(values, min_magnitude=least, window_len=2 * values.size)[0]
def changes(values):
    return [(int(point.index), bool(point.stats.mean_2 > point.stats.mean_1)) for point in points(np.asarray(values))]
results = []
for values in request["histories"]:
    ends = range(request["first"], len(values) + 1)
    results.append([changes(values[:end]) for end in ends])
json.dump(results, sys.stdout)
"""


def install() -> Path | None:
    """Its Python, installed on first use; None where that fails, such as without a network."""
    python = _FOLDER / "bin" / "python"
    if (_FOLDER / "done").exists():
        return python

    pip = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    steps = (
        [sys.executable, "-m", "venv", "--clear", str(_FOLDER)],
        [*pip, "numpy==2.2.*", "scipy>=1.16,<1.17"],
        [*pip, "--no-deps", f"apache-otava=={VERSION}"],
    )
    for step in steps:
        if subprocess.run(step, capture_output=True).returncode:
            return None

    # An interrupted installation lacks this file and is repeated.
    (_FOLDER / "done").touch()
    return python


def change_points(
    python: Path, histories: Sequence[Sequence[float]], first: int, least: float
) -> list[list[list[tuple[int, bool]]]]:
    """Of each history, for each of its beginnings from `first` runs on: where changes are, and whether upwards."""
    request = json.dumps({"histories": histories, "first": first, "least": least})
    done = subprocess.run([str(python), "-c", _CODE], input=request, capture_output=True, text=True, check=True)
    results: list[list[list[tuple[int, bool]]]] = json.loads(done.stdout)
    return results
