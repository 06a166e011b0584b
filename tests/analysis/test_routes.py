"""One name for one endpoint."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from exporter.analysis.routes import normalise


@pytest.mark.parametrize(
    "route",
    [
        "/users/{id}",
        "/users/{user_id}/",
        "/users/{id:[0-9]{1,9}}",
        "/users/{id?}",
        "/users/:user_id",
        "/users/:id?",
        "/users/:id(\\d+)",
        "/users/<int:id>",
        "/users/<id>",
        "/users/[id]",
        "/users/[...slug]",
        "/users/[[...slug]]",
        "^users/(?P<pk>[^/]+)/$",
        "/users/*",
        "//users//{id}//",
        "users/{id}",
        "/users/{id}?verbose=1",
        "/users/{id}#top",
        "https://shop.example:8443/users/{id}",
        " /users/{id} ",
    ],
)
def test_placeholders_lose_their_names(route: str) -> None:
    """Every framework's spelling of the same template is the same endpoint, and nothing was guessed."""
    assert normalise("GET", route, heuristics=True) == ("GET", "/users/{}", False)


@pytest.mark.parametrize(
    ("route", "expected"),
    [
        ("/", "/"),
        ("^$", "/"),
        ("https://shop.example", "/"),
        ("/cart/items", "/cart/items"),
        ("/Cart", "/Cart"),
        ("/files/{name}.json", "/files/{}.json"),
        ("/flights/:from-:to", "/flights/{}-{}"),
        ("/v1/things:batchGet", "/v1/things:batchGet"),
        ("/v1/{name}:cancel", "/v1/{}:cancel"),
        ("/{a}/{b}", "/{}/{}"),
        ("/odd{brace", "/odd{brace"),
        ("/search?filter[name]=x", "/search"),
    ],
)
def test_templates_keep_their_shape(route: str, expected: str) -> None:
    """What is not a placeholder stays as it is."""
    assert normalise("GET", route, heuristics=True) == ("GET", expected, False)


@pytest.mark.parametrize(
    "segment",
    [
        "42",
        "-7",
        "3.14",
        "123e4567-e89b-12d3-a456-426614174000",
        "507f1f77bcf86cd799439011",
        "da39a3ee5e6b4b0d3255bfef95601890afd80709",
        "01ARZ3NDEKTSV4RRFFQ69G5FAV",
        "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1g",
        "MTIzNDU2Nzg5MGFiY2RlZg==",
        "2026-11-22",
        "2026-11-22T15:49:00Z",
        "someone@shop.example",
    ],
)
def test_values_in_raw_paths_are_guessed(segment: str) -> None:
    """Numbers, ids, dates and mail addresses become placeholders, flagged; without heuristics they stay."""
    assert normalise("GET", f"/users/{segment}/cart", heuristics=True) == ("GET", "/users/{}/cart", True)
    assert normalise("GET", f"/users/{segment}/cart", heuristics=False) == ("GET", f"/users/{segment}/cart", False)


@pytest.mark.parametrize(
    "segment",
    [
        "v2",
        "cart",
        "facade",
        "deadbeef",
        "my-long-post-about-the-year-2026",
        "Our-Two-Favourite-Posts-Of-2026",
        "iphone15",
    ],
)
def test_words_are_not_guessed(segment: str) -> None:
    """Words, versions and titles stay."""
    assert normalise("GET", f"/{segment}", heuristics=True) == ("GET", f"/{segment}", False)


@pytest.mark.parametrize(("method", "expected"), [("get", "GET"), (" Post ", "POST"), ("", "")])
def test_method(method: str, expected: str) -> None:
    """Methods are compared in upper case."""
    assert normalise(method, "/", heuristics=True)[0] == expected


@pytest.mark.parametrize("route", ["", "  "])
def test_no_route(route: str) -> None:
    """An empty route means that none was matched, which is not the root."""
    assert normalise("GET", route, heuristics=True) == ("GET", "", False)


ROUTES = st.lists(
    st.one_of(
        st.sampled_from([*"/{}<>[]():?#*+$^ a5-.@", "//", "{id}", ":id", "users", "42", "{}", "/:a", "http://x"]),
        st.text(max_size=3),
    ),
    max_size=12,
).map("".join)


@given(ROUTES, st.booleans())
@example("/a/?x", True)
@example("{}*?x", True)
@example("/a$/", True)
def test_normalising_again_changes_nothing(route: str, heuristics: bool) -> None:
    """A normal form is its own normal form, and nothing is left to guess."""
    method, once, _ = normalise("GET", route, heuristics=heuristics)
    assert normalise(method, once, heuristics=heuristics) == (method, once, False)


@given(ROUTES)
def test_normal_form_is_clean(route: str) -> None:
    """A normal form starts with one slash, ends in none and holds neither query nor doubled slash."""
    _, result, _ = normalise("GET", route, heuristics=True)
    assert result in ("", "/") or (result.startswith("/") and not result.endswith("/"))
    assert "//" not in result
    assert "?" not in result
    assert "#" not in result


def test_hostile_route_is_cut() -> None:
    """Thousands of open brackets take no time and make no long label."""
    assert len(normalise("GET", "/" + "(" * 100_000, heuristics=True)[1]) <= 512
