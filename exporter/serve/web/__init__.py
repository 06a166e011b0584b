"""HTTP: the pages of `serve` and of `run`, two bare ASGI applications on one response layer and one server."""
