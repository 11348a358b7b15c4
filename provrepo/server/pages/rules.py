"""Where the rules that findings name are written."""

from __future__ import annotations

from flask import url_for

from provrepo.checks.constraints.rules import BUNDLES, RULES, rule_id

__all__ = ["rule_address"]

_PROFILES = "https://w3id.org/provrepo/shapes/"
_CONSTRAINTS = "https://www.w3.org/TR/prov-constraints/"
_EXACT = {
    BUNDLES: f"{_CONSTRAINTS}#bundle-constraints",
    **{rule_id(number): f"{_CONSTRAINTS}#{rule.title}" for number, rule in RULES.items()},
}
_FAMILIES = {
    "prov-dm:": "https://www.w3.org/TR/prov-dm/",
    "prov-o:": "https://www.w3.org/TR/prov-o/",
    "prov-links:": "https://www.w3.org/TR/prov-links/",
}
"""Specifications whose rules have no numbers."""


def rule_address(rule: str) -> str:
    """The address of the text of a rule; empty where it has none, as for rules of reading."""
    if rule.startswith(_PROFILES):
        return url_for("profiles.index", _anchor=rule.removeprefix(_PROFILES).partition("#")[0])
    family, colon, _ = rule.partition(":")
    return _EXACT.get(rule) or _FAMILIES.get(family + colon, "")
