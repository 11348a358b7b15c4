"""HTML pages from Jinja templates that escape all values, and the filters and functions of the templates."""

from __future__ import annotations

import re
from typing import Any

from flask import Flask, Response, render_template

from provrepo._version import __version__
from provrepo.checks.findings import Severity
from provrepo.checks.render import groups
from provrepo.ledger.governance.invitations import Invitation
from provrepo.repository.people.review_links import link_of
from provrepo.repository.records import Actor
from provrepo.server.pages import display
from provrepo.server.pages.isolation import Isolation
from provrepo.server.pages.rules import rule_address
from provrepo.server.protocol import addresses, auth
from provrepo.words import counted

__all__ = ["page", "register"]


def page(template: str, **context: Any) -> Response:
    """Render a template of ``web/templates``."""
    return Response(render_template(template, **context), content_type="text/html; charset=utf-8")


def register(app: Flask) -> None:
    """Register the filters and functions of the templates."""
    environment = app.jinja_env
    environment.add_extension(Isolation)
    environment.trim_blocks = environment.lstrip_blocks = True
    environment.filters.update(utc=_utc, size=_size, plural=counted, words=display.words)
    environment.globals.update(
        groups=groups,
        rule_address=rule_address,
        Severity=Severity,
        software=f"provrepo {__version__}",
        asset_version=__version__,
    )

    @app.context_processor
    def _() -> dict[str, Any]:
        return {"url": addresses.address, "me": _me(), "review": _review(), "form_token": _form_token}


def _me() -> Actor | None:
    """The actor of the session of the current request; None without a session."""
    return auth.repository().actor if auth.session() is not None else None


def _review() -> Invitation | None:
    """The review link of the session of the current request; None for other sessions."""
    me = _me()
    return None if me is None else link_of(auth.store().ledger.database, me.token)


def _form_token() -> str:
    """The form token of the session of the current request; empty without a session, where forms need none."""
    found = auth.session()
    return "" if found is None else found.form_token


def _utc(time: str) -> str:
    """Format an xsd:dateTime in UTC: ``2026-03-01 17:05 UTC``."""
    found = re.match(r"(\d{4}-\d\d-\d\d)T(\d\d:\d\d)", time)
    return f"{found.group(1)} {found.group(2)} UTC" if found else time


def _size(number: int) -> str:
    """Format a number of bytes, with units of powers of 1,000."""
    value = float(number)
    for unit in ("bytes", "kB", "MB"):
        if value < 1000:
            return f"{number:,} bytes" if unit == "bytes" else f"{value:.1f} {unit}"
        value /= 1000
    return f"{value:.1f} GB"
