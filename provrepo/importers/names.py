"""Segments and beginnings of the IRIs that importers mint."""

from __future__ import annotations

from urllib.parse import quote

from provrepo.importers.masking import without_login

__all__ = ["below", "segment"]


def below(base: str | None, root: str) -> str:
    """The beginning of minted IRIs, which ends with a slash or hash: the base IRI of the caller, or else ``root``."""
    if not base:
        return root
    return base if base.endswith(("/", "#")) else f"{base}/"


def segment(text: str) -> str:
    """A text as one segment of a path, without secrets. ``.`` and ``..`` would vanish when an IRI is resolved."""
    quoted = quote(without_login(text), safe="")
    return quoted.replace(".", "%2E") if quoted in (".", "..") else quoted
