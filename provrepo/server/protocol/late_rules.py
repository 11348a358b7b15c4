"""Rules of addresses that are compiled when the first address is built from them, not when the application is made."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from werkzeug.routing import Rule

__all__ = ["LateRule"]


class LateRule(Rule):
    """A rule whose builders are made at their first use.

    werkzeug makes two functions for each rule from a syntax tree: half of the time that it takes to make the
    application, and most of them are never called.
    """

    def _compile_builder(self, append_unknown: bool = True) -> Callable[..., tuple[str, str]]:
        made: Callable[..., tuple[str, str]] | None = None

        def build(rule: Rule, /, *args: Any, **kwargs: Any) -> tuple[str, str]:
            nonlocal made
            if made is None:
                made = super(LateRule, self)._compile_builder(append_unknown)
            return made(rule, *args, **kwargs)

        return build
