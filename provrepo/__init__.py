"""provrepo: a repository for W3C PROV documents.

Importing this package is cheap: the module of each name is imported at its first use (PEP 562).
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from provrepo._version import __version__
from provrepo.model.operations import register as _register

if TYPE_CHECKING:
    from provrepo.capture.notebooks import load_ipython_extension, unload_ipython_extension
    from provrepo.checks.findings import Finding, Severity
    from provrepo.checks.report import Report
    from provrepo.checks.validation import validate
    from provrepo.codecs.formats import read
    from provrepo.errors import Error, NotAvailable, ReadError, Refused
    from provrepo.model.compare import compare
    from provrepo.model.document import Bundle, Document
    from provrepo.model.identifiers import Identifier, Literal
    from provrepo.model.statements import Statement
    from provrepo.redaction.redacting import Redacted, redact
    from provrepo.remote.repository import connect
    from provrepo.repository.repository import open  # noqa: A004
    from provrepo.repository.upkeep.restore import restore

_HOMES = {
    "Bundle": "provrepo.model.document",
    "Document": "provrepo.model.document",
    "Error": "provrepo.errors",
    "Finding": "provrepo.checks.findings",
    "Identifier": "provrepo.model.identifiers",
    "Literal": "provrepo.model.identifiers",
    "NotAvailable": "provrepo.errors",
    "ReadError": "provrepo.errors",
    "Redacted": "provrepo.redaction.redacting",
    "Refused": "provrepo.errors",
    "Report": "provrepo.checks.report",
    "Severity": "provrepo.checks.findings",
    "Statement": "provrepo.model.statements",
    "compare": "provrepo.model.compare",
    "connect": "provrepo.remote.repository",
    "load_ipython_extension": "provrepo.capture.notebooks",
    "open": "provrepo.repository.repository",
    "read": "provrepo.codecs.formats",
    "redact": "provrepo.redaction.redacting",
    "restore": "provrepo.repository.upkeep.restore",
    "unload_ipython_extension": "provrepo.capture.notebooks",
    "validate": "provrepo.checks.validation",
}
"""The modules of the public names."""

_OPERATIONS = {
    "equivalent": "provrepo.checks.constraints.equivalence",
    "from_prov": "provrepo.codecs.prov_adapter",
    "losses": "provrepo.codecs.formats",
    "normalized": "provrepo.checks.constraints.equivalence",
    "to_prov": "provrepo.codecs.prov_adapter",
    "write": "provrepo.codecs.formats",
}
"""The modules of the functions that methods of documents call; see ``provrepo.model.operations``."""

__all__ = [
    "Bundle",
    "Document",
    "Error",
    "Finding",
    "Identifier",
    "Literal",
    "NotAvailable",
    "ReadError",
    "Redacted",
    "Refused",
    "Report",
    "Severity",
    "Statement",
    "__version__",
    "compare",
    "connect",
    "load_ipython_extension",
    "open",
    "read",
    "redact",
    "restore",
    "unload_ipython_extension",
    "validate",
]


def __getattr__(name: str) -> Any:
    try:
        home = _HOMES[name]
    except KeyError:
        raise AttributeError(f"module 'provrepo' has no attribute {name!r}") from None
    value = getattr(import_module(home), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*__all__, *(name for name in globals() if name.startswith("_"))})


class _Operations:
    """The functions of ``_OPERATIONS`` as attributes; each is imported when it is used."""

    def __getattr__(self, name: str) -> Any:
        try:
            module = _OPERATIONS[name]
        except KeyError:
            raise AttributeError(name) from None
        return getattr(import_module(module), name)


_register(_Operations())
