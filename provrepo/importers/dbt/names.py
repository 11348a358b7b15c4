"""The names of what dbt runs. Relations have those of OpenLineage, so that events of the same runs are about the same.

The namespaces are those of openlineage-dbt (https://openlineage.io/docs/spec/naming).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from provrepo.importers.masking import without_login
from provrepo.importers.names import below, segment
from provrepo.importers.openlineage.names import Names as LineageNames

__all__ = ["DIALECTS", "FORMAT", "ROOT", "TERMS", "Names", "namespace_of"]

FORMAT = "dbt"

ROOT = "https://w3id.org/provrepo/dbt/"
"""The beginning of the names of runs and nodes, where the caller gives no base IRI."""

TERMS = "https://w3id.org/provrepo/dbt#"
"""The namespace of terms for which no vocabulary has one."""

DIALECTS = {
    **{
        name: name for name in ("athena", "bigquery", "clickhouse", "databricks", "dremio", "duckdb", "mysql", "oracle")
    },
    **{
        name: name
        for name in ("postgres", "redshift", "snowflake", "spark", "sqlite", "starrocks", "teradata", "trino")
    },
    **{"fabric": "fabric", "sqlserver": "tsql", "synapse": "tsql", "vertica": "postgres", "greenplum": "postgres"},
}
"""Type of an adapter → the dialect of its SQL in sqlglot."""

_PORTS = {"postgres": 5432, "redshift": 5439, "trino": 8080, "clickhouse": 8123, "sqlserver": 1433, "dremio": 31010}
_SCHEMES = {"sqlserver": "mssql"}


@dataclass(frozen=True, slots=True)
class Names:
    """Mints IRIs.

    Attributes:
        root: their beginning, which ends with a slash.
        lineage: the names of relations and of what is measured.
    """

    root: str
    lineage: LineageNames

    @classmethod
    def below(cls, base: str | None) -> Names:
        """Names below a base IRI; below ``ROOT`` without one."""
        return cls(below(base, ROOT), LineageNames.below(base))

    def invocation(self, id_: str) -> str:
        """A run of the command."""
        return f"{self.root}run/{segment(id_)}"

    def run(self, invocation: str, node: str) -> str:
        """The run of a node in an invocation."""
        return f"{self.invocation(invocation)}/{segment(node)}"

    def node(self, project: str, node: str) -> str:
        """A node, which is the plan of its runs."""
        return f"{self.root}node/{segment(project)}/{segment(node)}"

    def software(self, version: str) -> str:
        """Dbt in a version."""
        return f"{self.root}software" + (f"/{segment(version)}" if version else "")

    def owner(self, name: str) -> str:
        """An owner of an exposure."""
        return f"{self.root}owner/{segment(name)}"

    def made(self, digest: str) -> str:
        """What was made from a payload by this mapping."""
        return f"{self.root}import/{digest}"


def namespace_of(target: Mapping[str, Any]) -> str:
    """The namespace of the relations of a database; empty if its address is not known.

    Args:
        target: an output of ``profiles.yml``. Values with expressions are not known.
    """
    found = {
        key: str(value) for key, value in target.items() if isinstance(value, str | int) and "{{" not in str(value)
    }
    kind = found.get("type", "")
    host = found.get("host") or found.get("server") or ""
    if kind == "bigquery":
        return "bigquery"
    if kind == "duckdb":
        return f"duckdb://{without_login(found['path'])}" if found.get("path") else ""
    if kind == "snowflake":
        return f"snowflake://{_account(found['account'])}" if found.get("account") else ""
    if kind == "databricks":
        return f"databricks://{host}" if host else ""
    if kind == "athena":
        region = found.get("region_name")
        return f"awsathena://athena.{region}.amazonaws.com" if region else ""
    if kind in _PORTS and host:
        return f"{_SCHEMES.get(kind, kind)}://{host}:{found.get('port', _PORTS[kind])}"
    return ""


def _account(found: str) -> str:
    """An account of Snowflake with its region and cloud, which are those of the first ones if it has none."""
    parts = found.split(".")
    if "-" in parts[0] or len(parts) > 2:
        return found
    return f"{parts[0]}.{parts[1] if len(parts) == 2 else 'us-west-1'}.aws"
