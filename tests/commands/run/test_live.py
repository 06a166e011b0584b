"""The page of a run, scraped while it goes."""

from __future__ import annotations

import subprocess
import sys
from contextlib import AbstractContextManager, closing
from pathlib import Path

import pytest
import requests

from exporter.analysis import histogram
from exporter.catalogue import live as names
from exporter.commands.run.live import Live
from exporter.commands.run.page import LivePage
from exporter.commands.run.processes import Tree
from exporter.commands.run.sampler import Sampler
from exporter.formats import read
from exporter.model.loadrun import LoadRun
from tests.commands.run.conftest import GENERATOR, Start, Wrapped, python
from tests.exposition import families, samples
from tests.running import until

BURST = """
import pathlib, socket, sys, time
def wait(name):
    while not pathlib.Path(name).exists(): time.sleep(0.01)
wait('go')
began = time.process_time()
memory = bytearray(64 * 1024 * 1024)
sockets = [socket.socket() for _ in range(20)]
burst = time.monotonic()
while time.process_time() - began < 0.3: pass
pathlib.Path('took').write_text(str(time.monotonic() - burst))
del memory
for each in sockets: each.close()
pathlib.Path('done').touch()
wait('end')
"""
"""0.3 s of CPU time, 64 MiB and 20 sockets, when the file `go` is there."""


def sampled(wrapped: Wrapped) -> float:
    return wrapped.value("pte_load_run_process_cpu_cores_count", process="generator") or 0


def more_samples(wrapped: Wrapped) -> None:
    before = sampled(wrapped)
    until(lambda: sampled(wrapped) > before + 2, "more samples")


def test_a_burst_between_two_scrapes_is_seen(start: Start, tmp_path: Path) -> None:
    """A process that ended early is in the maxima and in the histogram, and not in the last values."""
    with start([], python(BURST)) as wrapped:
        more_samples(wrapped)
        before = samples(wrapped.page())
        (tmp_path / "go").touch()
        until((tmp_path / "done").exists, "the burst")
        more_samples(wrapped)
        until(lambda: wrapped.value("pte_load_run_process_sockets", process="generator") == 0, "the sockets to be gone")
        after = samples(wrapped.page())
        (tmp_path / "end").touch()
        assert wrapped.ends() == 0
    label = frozenset({("application", "shop"), ("process", "generator")})

    def grown(name: str) -> float:
        return after[name, label] - before[name, label]

    mib = 1024 * 1024
    assert grown("pte_load_run_process_cpu_seconds_total") == pytest.approx(0.3, abs=0.15)
    cores = 0.3 / float((tmp_path / "took").read_text())  # one, or what a busy machine leaves
    assert after["pte_load_run_process_cpu_max_cores", label] > 0.3 * cores
    assert grown("pte_load_run_process_memory_max_bytes") > 56 * mib
    assert grown("pte_load_run_process_memory_bytes") < 16 * mib
    assert grown("pte_load_run_process_sockets_max") == 20
    assert grown("pte_load_run_process_sockets") == 0
    low = frozenset({*label, ("le", "0.25")})
    above = grown("pte_load_run_process_cpu_cores_count") - (
        after["pte_load_run_process_cpu_cores_bucket", low] - before["pte_load_run_process_cpu_cores_bucket", low]
    )
    assert (cores > 0.5) <= above <= 10


def test_the_page_grows_to_what_the_result_tells(shop: str, start: Start, tmp_path: Path) -> None:
    """Counters never fall, and at the end each bucket has what the published result has."""
    command = [sys.executable, GENERATOR, shop, "k6.json", "400", "0", "end"]
    counts: list[float] = []
    with start(["--result", "k6.json", "--save", "saved.json"], command) as wrapped:
        while not counts or counts[-1] < 400:
            counts.append(wrapped.value("pte_load_run_live_requests_total") or 0)
        page = samples(wrapped.page())
        (tmp_path / "end").touch()
        assert wrapped.ends() == 0
    assert counts == sorted(counts)
    assert len(set(counts)) > 2
    run = read(tmp_path / "saved.json")
    label = frozenset({("application", "shop")})
    assert page["pte_load_run_live_running", label] == 1
    assert page["pte_load_run_live_latency_seconds_count", label] == run.total.requests == 400
    assert page["pte_load_run_live_latency_seconds_sum", label] == pytest.approx((run.total.latency.mean or 0) * 400)
    assert page["pte_load_run_live_latency_percentile_seconds", label | {("stat", "p95")}] == run.total.latency.p95
    assert page["pte_load_run_live_latency_max_seconds", label] == run.total.latency.max
    assert page["pte_load_run_live_users", label] == page["pte_load_run_live_users_max", label] == 3
    assert run.total.latency.histogram is not None
    for bound, count in histogram.buckets(run.total.latency.histogram, names.REQUEST_BUCKETS):
        key = frozenset({*label, ("le", str(float(bound)))})
        assert page["pte_load_run_live_latency_seconds_bucket", key] == round(count)


def test_a_made_up_name_is_followed(shop: str, start: Start, tmp_path: Path) -> None:
    """Live figures come from the file that a glob will match, once it is there."""
    generate = [sys.executable, GENERATOR, shop, "k6.json", "30", "0", "../end"]
    command = ["sh", "-c", 'mkdir new && cd new && exec "$@"', "sh", *generate]
    with start(["--result", "*/k6.json"], command) as wrapped:
        until(lambda: wrapped.value("pte_load_run_live_requests_total") == 30, "the requests")
        (tmp_path / "end").touch()
        assert wrapped.ends() == 0


def test_failures_have_their_kind(shop: str, start: Start, tmp_path: Path) -> None:
    """The kinds add up to all failures, with those that the result does not name."""
    command = [sys.executable, GENERATOR, f"{shop}/broken", "k6.json", "20", "0", "end"]
    with start(["--result", "k6.json"], command) as wrapped:
        until(lambda: wrapped.value("pte_load_run_live_requests_total") == 20, "the requests")
        page = samples(wrapped.page())
        (tmp_path / "end").touch()
        assert wrapped.ends() == 0
    kinds = {dict(key[1])["kind"]: value for key, value in page.items() if key[0] == "pte_load_run_live_failures_total"}
    assert sum(kinds.values()) == 20
    assert kinds[names.UNSPECIFIED] == 0


def test_a_target_is_sampled_by_its_port(start: Start, tmp_path: Path) -> None:
    """It is found, and its usage is published beside the generator's."""
    server = "import http.server as h; s = h.HTTPServer(('127.0.0.1', 0), h.SimpleHTTPRequestHandler);"
    server += " print(s.server_address[1], flush=True); s.serve_forever()"
    with subprocess.Popen(python(server), stdout=subprocess.PIPE, text=True) as target:
        assert target.stdout is not None
        port = target.stdout.readline().strip()
        try:
            with start(["--target", f"db=:{port}"], python("input = 1\nimport time; time.sleep(600)")) as wrapped:
                more_samples(wrapped)
                assert (wrapped.value("pte_load_run_process_memory_bytes", process="db") or 0) > 5e6
                assert wrapped.value("pte_load_run_process_sockets", process="db") == 1
                target.kill()
                until(lambda: "--target db has ended; sampling of the others continues" in wrapped.stderr, "the news")
                assert wrapped.value("pte_load_run_process_memory_bytes", process="db") is None
                assert (wrapped.value("pte_load_run_process_memory_max_bytes", process="db") or 0) > 5e6
                more_samples(wrapped)
        finally:
            target.kill()


def page_of(run: LoadRun | None) -> AbstractContextManager[LivePage]:
    sampler = Sampler()
    sampler.watch("generator", Tree([], None))
    live = Live("shop", sampler)
    live.started, live.running, live.run = 1.0, True, run
    page = LivePage("127.0.0.1:0", live)
    page.start()
    return closing(Closing(page))  # type: ignore[return-value]


class Closing:
    """A page that `closing` understands."""

    def __init__(self, page: LivePage) -> None:
        self.url, self.close = page.url, page.end


def test_each_path_of_the_page(shop: str, tmp_path: Path) -> None:
    """What there is, what there is not, and in which formats."""
    with page_of(None) as page:
        assert requests.get(f"{page.url}-/healthy", timeout=60).text == "healthy\n"
        assert "metrics are on /metrics" in requests.get(page.url, timeout=60).text
        assert requests.get(f"{page.url}other", timeout=60).status_code == 404
        assert requests.post(f"{page.url}metrics", timeout=60).status_code == 405
        plain = requests.get(f"{page.url}metrics", timeout=60)
        assert plain.headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
        assert ("pte_load_run_live_requests_total", frozenset({("application", "shop")})) not in samples(plain.content)


def test_every_declared_series_is_on_the_page(shop: str, tmp_path: Path) -> None:
    """With its type, its help and its labels, in the format that is stricter."""
    file = tmp_path / "k6.json"
    subprocess.run([sys.executable, GENERATOR, shop, file, "50"], check=True, stdout=subprocess.DEVNULL, timeout=60)
    sampler = Sampler()
    with subprocess.Popen(["sleep", "600"], process_group=0) as child:
        sampler.watch("generator", Tree([child.pid], child.pid))
        sampler.sample()
        live = Live("shop", sampler)
        live.started, live.running, live.run = 1.0, True, read(file)
        published = {family.name: family for family in families(live.render(openmetrics=True), openmetrics=True)}
        child.kill()
    assert published.keys() == {series.name for series in names.LIVE}
    for series in names.LIVE:
        family = published[series.name]
        assert (family.type, family.documentation) == (series.kind, series.help)
        assert set(family.samples[0].labels) - {"le"} == set(series.labels)
