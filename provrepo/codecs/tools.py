"""The rows of the table of formats whose records other tools write. Importers read them."""

from __future__ import annotations

from provrepo.codecs.rows import Format

__all__ = ["TOOLS"]

TOOLS: tuple[Format, ...] = (
    Format(
        "openlineage",
        "OpenLineage",
        (".jsonl", ".ndjson"),
        ("application/vnd.openlineage+json", "application/x-ndjson"),
        rdf=False,
        bundles=True,
        module="importers.openlineage.codec",
        specification="https://openlineage.io/spec/2-0-2/OpenLineage.json",
        keys=(
            frozenset({"eventTime", "run"}),
            frozenset({"eventTime", "job"}),
            frozenset({"eventTime", "dataset"}),
        ),
        systems=("Airflow", "dbt", "Flink", "Hive", "openlineage-python", "Spark"),
        readers=("Marquez", "DataHub"),
        versions="OpenLineage 2-0-2",
    ),
    Format(
        "rocrate",
        "Workflow Run RO-Crate",
        (".crate.zip",),
        ('application/zip; profile="https://w3id.org/ro/crate"',),
        rdf=False,
        bundles=True,
        module="importers.rocrate.codec",
        specification="https://w3id.org/ro/wfrun/provenance/0.5",
        writes=False,
        collects=True,
        systems=("Autosubmit", "COMPSs", "Galaxy", "nf-prov", "ro-crate-py", "runcrate", "StreamFlow", "WfExS"),
        versions="RO-Crate 1.1 to 1.3, Workflow Run RO-Crate 0.1 to 0.5",
    ),
    Format(
        "intoto",
        "in-toto attestation",
        (".intoto.jsonl", ".intoto.json", ".sigstore.json", ".sigstore"),
        ("application/vnd.in-toto+json", "application/vnd.dev.sigstore.bundle+json"),
        rdf=False,
        bundles=True,
        module="importers.attestations.codec",
        specification="https://github.com/in-toto/attestation/tree/main/spec/v1",
        writes=False,
        keys=(
            frozenset({"_type", "subject", "predicateType"}),
            frozenset({"payload", "payloadType", "signatures"}),
            frozenset({"mediaType", "verificationMaterial"}),
        ),
        systems=("in-toto", "SLSA builders", "model-signing"),
        versions="in-toto 1 and 0.1, SLSA 0.1 to 1.1, link 0.3, model signing 1.0",
    ),
    Format(
        "great_expectations",
        "Great Expectations",
        (".validation.json",),
        ("application/vnd.great-expectations+json",),
        rdf=False,
        bundles=True,
        module="importers.great_expectations.codec",
        specification="https://docs.greatexpectations.io/docs/reference/api/expectationsuitevalidationresult_class",
        writes=False,
        keys=(frozenset({"results", "statistics", "success", "meta"}),),
        versions="Great Expectations 0.15 to 1.x",
        collects=True,
    ),
    Format(
        "git",
        "history of Git",
        (".git.json",),
        ("application/vnd.provrepo.git-history+json",),
        rdf=False,
        bundles=True,
        module="importers.git.codec",
        specification="https://git-scm.com/docs/gitformat-commit",
        writes=False,
        keys=(frozenset({"gitHistory", "commits"}),),
        systems=("DataLad", "Git", "git-annex", "Git LFS"),
        versions="Git 2, LFS pointers 1, keys of git-annex 10, DataLad 0.10 to 1.7",
        history=True,
    ),
)
