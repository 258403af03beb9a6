import pytest

from goclaw.rest_compat.paths import Paths


def paths(*routes: str) -> Paths[str]:
    known: Paths[str] = Paths()
    for route in routes:
        method, _, path = route.partition(" ")
        known.add(method, path, route)
    return known


@pytest.mark.parametrize(
    ("path", "route", "values"),
    [
        ("/v1/agents", "GET /v1/agents", {}),
        ("/v1/agents/scribe", "GET /v1/agents/{id}", {"id": "scribe"}),
        ("/v1/agents/a%2Fb", "GET /v1/agents/{id}", {"id": "a/b"}),
        ("/v1/agents/%C3%BC", "GET /v1/agents/{id}", {"id": "ü"}),
        (
            "/v1/agents/x/shares/y",
            "GET /v1/agents/{id}/shares/{userID}",
            {"id": "x", "userID": "y"},
        ),
        ("/v1/providers/cli/status", "GET /v1/providers/cli/status", {}),
        ("/v1/providers/cli/models", "GET /v1/providers/{id}/models", {"id": "cli"}),
        ("/v1/files/a/b/c.txt", "GET /v1/files/{path...}", {"path": "a/b/c.txt"}),
    ],
)
def test_finds(path: str, route: str, values: dict[str, str]) -> None:
    known = paths(
        "GET /v1/agents",
        "GET /v1/agents/{id}",
        "GET /v1/agents/{id}/shares/{userID}",
        "GET /v1/providers/cli/status",
        "GET /v1/providers/{id}/models",
        "GET /v1/files/{path...}",
    )
    match = known.find(path)
    assert match is not None
    assert (match.methods["GET"], match.values) == (route, values)


@pytest.mark.parametrize("path", ["", "/", "/v1", "/v1/agents/", "/v1/agents/a/b", "/V1/agents"])
def test_unknown_paths(path: str) -> None:
    assert paths("GET /v1/agents", "GET /v1/agents/{id}").find(path) is None


def test_a_path_has_its_methods() -> None:
    match = paths("GET /v1/a/{id}", "PUT /v1/a/{id}").find("/v1/a/1")
    assert match is not None
    assert set(match.methods) == {"GET", "PUT"}


def test_two_routes_of_one_name_are_refused() -> None:
    with pytest.raises(ValueError, match="two routes"):
        paths("GET /v1/a", "GET /v1/a")
    with pytest.raises(ValueError, match="two names"):
        paths("GET /v1/a/{id}", "PUT /v1/a/{key}")
