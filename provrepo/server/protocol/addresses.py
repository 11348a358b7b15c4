"""Absolute addresses of this server. They come from its base IRI or its settings, never from a ``Host`` header."""

from __future__ import annotations

from flask import current_app

from provrepo.server.protocol import auth

__all__ = ["URL", "absolute", "address"]

URL = "PROVREPO_URL"
"""The configuration key of the URL under which the application runs."""


def address() -> str:
    """The URL of the server with a final slash: the base IRI, or the address on which it listens."""
    settings = auth.store().settings
    return auth.store().base() or current_app.config.get(URL) or f"http://{settings.host}:{settings.port}/"


def absolute(target: str) -> str:
    """The absolute form of a path on this server; other addresses are returned unchanged."""
    return address() + target[1:] if target.startswith("/") else target
