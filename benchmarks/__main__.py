"""`make bench`: runs every benchmark, prints a line for each claim, and exits 1 when one does not hold."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence

from benchmarks import jtl, memory, poll, regression, sampling, scrape, slo_evaluation, slo_generation
from benchmarks.measurement import Measurement

BENCHMARKS: dict[str, Callable[[], Sequence[Measurement]]] = {
    "scrape": scrape.measure,
    "poll": poll.measure,
    "memory": memory.measure,
    "regression": regression.measure,
    "sampling": sampling.measure,
    "jtl": jtl.measure,
    "slo_generation": slo_generation.measure,
    "slo_evaluation": slo_evaluation.measure,
}


def main(names: Sequence[str]) -> int:
    failed = 0
    for name in names or list(BENCHMARKS):
        print(f"{name} ...", file=sys.stderr, flush=True)
        for measurement in BENCHMARKS[name]():
            failed += not measurement.holds
            verdict = "holds" if measurement.holds else "DOES NOT HOLD"
            figure = f"{measurement.figure}   (expected: {measurement.bound}: {verdict})"
            print(f"{measurement.claim}\n    {figure}", flush=True)

    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
