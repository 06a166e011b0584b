"""The applications of the made-up shop: what they serve, how much, and how their tests are run.

shop      certified well: 33 of 45 routes tested, a run every second day that reaches production's peak
checkout  outgrown: a sale every eighth day doubles its load, and its test never reached even an ordinary day's peak
search    never tested
archive   tested now and then, idle in production
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, cast

Use = Literal["tested", "untested", "barely", "only_pte"]
"""How the test treats a route of production; `only_pte` is a route that production lacks."""

SHOP_ROUTES = """
    GET    /                                         240 tested
    GET    /products                                 170 tested
    GET    /products/{id}                            150 tested fails
    GET    /categories/{id}                           90 tested
    GET    /cart                                      70 tested fails
    POST   /cart/items                                50 tested fails
    GET    /products/{id}/reviews                     36 untested
    GET    /account                                   30 tested
    GET    /recommendations                           28 tested fails
    GET    /offers                                    24 tested
    DELETE /cart/items/{id}                           18 tested
    PUT    /cart/items/{id}                           16 tested
    GET    /orders                                    15 tested
    GET    /orders/{id}                               14 tested fails
    POST   /login                                     13 tested fails
    POST   /wishlist/{id}/items                       12 untested
    GET    /wishlist/{id}                             10 tested
    POST   /logout                                     9 tested
    GET    /stores                                     8 tested
    GET    /stores/{id}                                7 tested
    GET    /delivery/slots                             6 tested
    POST   /delivery/slots/{id}/reserve                5 tested
    GET    /account/addresses                          4.5 tested
    POST   /account/addresses                          4 tested
    PUT    /account/addresses/{id}                     3.5 tested
    DELETE /account/addresses/{id}                     3 tested
    GET    /account/payment-methods                    2.8 untested
    POST   /account/payment-methods                    2.5 untested
    DELETE /account/payment-methods/{id}               2.2 untested
    POST   /products/{id}/reviews                      2 tested
    GET    /vouchers/{code}                            1.8 tested
    POST   /vouchers/{code}/redeem                     1.6 tested
    GET    /orders/{id}/invoice                        1.5 untested
    GET    /orders/{id}/tracking                       1.4 tested
    POST   /orders/{id}/cancel                         1.2 untested
    POST   /orders/{id}/returns                        1.1 untested
    GET    /returns/{id}                               1 tested
    POST   /newsletter                                 0.9 tested
    DELETE /newsletter/{token}                         0.8 untested
    POST   /password/reset                             0.7 tested
    PUT    /password                                   0.6 tested
    POST   /register                                   0.5 tested
    GET    /legal/{page}                               0.4 untested
    POST   /contact                                    0.3 barely
    DELETE /account                                    0.1 untested
    POST   /test-data                                  2 only_pte
"""
"""Method, route, weight, and who calls it ("barely": the test does, about ten times in a run, too few to count)."""

CHECKOUT_ROUTES = """
    POST   /checkout                                  40 tested fails
    GET    /checkout/{id}                             30 tested
    POST   /checkout/{id}/payment                     16 tested fails
    POST   /checkout/{id}/confirm                     10 tested
    PUT    /checkout/{id}/address                      8 untested
    GET    /shipping/rates                             6 tested
"""

SEARCH_ROUTES = """
    GET    /search                                    70 untested fails
    GET    /suggest                                   25 untested
    GET    /facets/{name}                              5 untested
"""

ARCHIVE_ROUTES = """
    GET    /archive/orders                             6 tested
    GET    /archive/orders/{id}                        4 tested fails
"""


@dataclass(frozen=True, slots=True)
class ShopRoute:
    """One endpoint and its weight in production's traffic (in the test's if production lacks it)."""

    method: str
    path: str
    weight: float
    use: Use
    fails: bool
    """Errors fall on these routes only, in proportion to their traffic."""


@dataclass(frozen=True, slots=True)
class TestPlan:
    """A test that recurs: minutes and days since the epoch in UTC, rates in requests/s."""

    __test__ = False  # not a pytest class

    period_days: int
    day: int
    """The run starts on days with day number % period_days == day."""
    start: int
    """Minute of that day."""
    minutes: int
    ramp: int
    plateau: float
    spike: float
    """Multiple of the plateau, for ten minutes after two thirds of the run."""
    latency: float
    """Median latency at the plateau, in seconds."""
    error_ratio: float
    cpu: float
    """Utilisation at the plateau."""
    memory: float


@dataclass(frozen=True, slots=True)
class ShopApplication:
    """One service of the shop in production, and its test if it has one."""

    name: str
    routes: tuple[ShopRoute, ...]
    peak: float
    """Requests/s at the peak of an ordinary weekday; 0 is an idle application."""
    low: float
    """Night's trough as a ratio of the peak."""
    weekend: float
    """Saturday's and Sunday's level as a ratio of a weekday's."""
    latency: float
    """Median latency without load, in seconds."""
    error_ratio: float
    response_bytes: float
    users_per_request: float
    """Concurrent users / (requests/s)."""
    cpu: float
    """Utilisation at the peak."""
    memory: float
    test: TestPlan | None = None
    spikes: bool = False
    """Every third night, a quarter of an hour of 2.4 times the load."""
    sale: float | None = None
    """Level all day long, as a multiple of the peak, on the days on which the test runs."""


def _routes(table: str) -> tuple[ShopRoute, ...]:
    rows = [line.split() for line in table.strip().splitlines()]
    return tuple(
        ShopRoute(method, path, float(weight), cast(Use, use), "fails" in marks)
        for method, path, weight, use, *marks in rows
    )


APPLICATIONS: Sequence[ShopApplication] = (
    ShopApplication(
        name="shop",
        routes=_routes(SHOP_ROUTES),
        peak=850.0,
        low=0.30,
        weekend=0.80,
        latency=0.095,
        error_ratio=0.0015,
        response_bytes=24_000.0,
        users_per_request=0.66,
        cpu=0.62,
        memory=0.66,
        spikes=True,
        test=TestPlan(
            period_days=2,
            day=0,
            start=120,
            minutes=120,
            ramp=8,
            plateau=880.0,
            spike=1.4,
            latency=0.125,
            error_ratio=0.0009,
            cpu=0.56,
            memory=0.69,
        ),
    ),
    ShopApplication(
        name="checkout",
        routes=_routes(CHECKOUT_ROUTES),
        peak=120.0,
        low=0.25,
        weekend=0.85,
        latency=0.21,
        error_ratio=0.0030,
        response_bytes=6_000.0,
        users_per_request=1.9,
        cpu=0.48,
        memory=0.58,
        sale=1.9,
        test=TestPlan(
            period_days=8,
            day=3,
            start=60,
            minutes=60,
            ramp=10,
            plateau=48.0,
            spike=1.4,
            latency=0.17,
            error_ratio=0.0012,
            cpu=0.34,
            memory=0.50,
        ),
    ),
    ShopApplication(
        name="search",
        routes=_routes(SEARCH_ROUTES),
        peak=260.0,
        low=0.28,
        weekend=0.80,
        latency=0.045,
        error_ratio=0.0006,
        response_bytes=11_000.0,
        users_per_request=0.4,
        cpu=0.55,
        memory=0.71,
    ),
    ShopApplication(
        name="archive",
        routes=_routes(ARCHIVE_ROUTES),
        peak=0.0,
        low=0.0,
        weekend=1.0,
        latency=0.3,
        error_ratio=0.0,
        response_bytes=90_000.0,
        users_per_request=1.0,
        cpu=0.03,
        memory=0.22,
        test=TestPlan(
            period_days=4,
            day=1,
            start=300,
            minutes=60,
            ramp=5,
            plateau=20.0,
            spike=1.4,
            latency=0.32,
            error_ratio=0.0010,
            cpu=0.25,
            memory=0.30,
        ),
    ),
)
