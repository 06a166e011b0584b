"""`make bench`: runs every benchmark, prints a line for each claim, and exits 1 when one does not hold."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence

from benchmarks import jtl, memory, poll, regression, sampling, scrape, slo_evaluation, slo_generation
from benchmarks.measured import Measured

BENCHMARKS: dict[str, Callable[[], Sequence[Measured]]] = {
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
        for measured in BENCHMARKS[name]():
            failed += not measured.holds
            verdict = "holds" if measured.holds else "DOES NOT HOLD"
            print(f"{measured.claim}\n    {measured.figure}   (wanted: {measured.bound}: {verdict})", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
