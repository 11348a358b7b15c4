"""What each facet of OpenLineage becomes; facets and members without a place are kept as JSON."""

from __future__ import annotations

import json
from typing import Any

import pytest

import provrepo
from provrepo.codecs import formats
from provrepo.importers.masking import masked
from provrepo.importers.openlineage.dataset_facets import LOGICAL, OWN, VERSION
from provrepo.importers.openlineage.job_facets import ELSEWHERE, JOB_FACETS
from provrepo.importers.openlineage.run_facets import RUN_FACETS
from provrepo.model.document import Document
from provrepo.model.identifiers import Identifier, Literal
from tests.importers.test_openlineage import RUN, event
from tests.support.told import missing

PREFIXES = """document
prefix d <https://lab.example/ol/dataset/>
prefix v <https://lab.example/ol/version/>
prefix j <https://lab.example/ol/job/>
prefix q <https://lab.example/ol/quality/>
prefix g <https://lab.example/ol/agent/>
prefix run <urn:uuid:>
prefix dcat <http://www.w3.org/ns/dcat#>
prefix dcterms <http://purl.org/dc/terms/>
prefix dqv <http://www.w3.org/ns/dqv#>
prefix rdf <http://www.w3.org/1999/02/22-rdf-syntax-ns#>
prefix rdfs <http://www.w3.org/2000/01/rdf-schema#>
prefix schema <http://schema.org/>
prefix spdx <http://spdx.org/rdf/terms#>
prefix provrepo <https://w3id.org/provrepo/ns#>
prefix wfprov <http://purl.org/wf4ever/wfprov#>
prefix ol <https://w3id.org/provrepo/openlineage#>
"""
R = f"run:{RUN}"
NEW, OLD = f"v:lab/out/{RUN}", f"v:lab/raw/@unknown/{RUN}"
DAY = "2026-11-20T10:00:00Z"


def read(**places: Any) -> Document:
    """A run that read ``raw`` and wrote ``out``, with facets at the places ``run``, ``job``, ``raw``, ``out`` …"""
    found = event(
        "COMPLETE",
        DAY,
        inputs=[
            {"namespace": "lab", "name": "raw", "facets": places.get("raw", {}), "inputFacets": places.get("i", {})}
        ],
        outputs=[
            {"namespace": "lab", "name": "out", "facets": places.get("out", {}), "outputFacets": places.get("o", {})}
        ],
    )
    found["run"]["facets"] = places.get("run", {})
    found["job"]["facets"] = places.get("job", {})
    return formats.read(json.dumps(found).encode(), format="openlineage", base="https://lab.example/ol/")


def holds(document: Document, *statements: str) -> None:
    """Each statement, in PROV-N, is made, with at least the attributes that it names."""
    for text in statements:
        (wanted,) = formats.read(f"{PREFIXES}{text}\nendDocument".encode(), format="provn")
        found = [s for s in document if (s.kind, s.id, s.args) == (wanted.kind, wanted.id, wanted.args)]
        if wanted.kind.element:
            found = [s for s in document if s.kind is wanted.kind and s.id == wanted.id]
        assert any(set(wanted.attributes) <= set(s.attributes) for s in found), (text, found and found[0].attributes)
    assert provrepo.validate(document, profiles=["core"]).conforms


CASES: dict[str, tuple[dict[str, Any], tuple[str, ...]]] = {
    "nominalTime": (
        {"run": {"nominalTime": {"nominalStartTime": "2026-11-20T00:00:00Z", "nominalEndTime": "later"}}},
        (f'activity({R}, [ol:nominalStartTime="2026-11-20T00:00:00Z" %% xsd:dateTime, ol:nominalEndTime="later"])',),
    ),
    "errorMessage": (
        {"run": {"errorMessage": {"message": "no", "programmingLanguage": "java", "stackTrace": "at X"}}},
        (f'activity({R}, [schema:error="no", ol:programmingLanguage="java", ol:stackTrace="at X"])',),
    ),
    "extractionError": (
        {"run": {"extractionError": {"totalTasks": 3, "failedTasks": 1, "errors": [{"errorMessage": "sql"}]}}},
        (f'activity({R}, [provrepo:incomplete="true" %% xsd:boolean, ol:failedTasks="1" %% xsd:integer])',),
    ),
    "externalQuery": (
        {"run": {"externalQuery": {"externalQueryId": "q7", "source": "bigquery"}}},
        (f'activity({R}, [schema:identifier="q7", ol:querySource="bigquery"])',),
    ),
    "processing_engine": (
        {"run": {"processing_engine": {"name": "spark", "version": "4", "openlineageAdapterVersion": "1.54"}}},
        (
            'agent(g:spark/4, [schema:softwareVersion="4", ol:openlineageAdapterVersion="1.54"])',
            f"wasAssociatedWith({R}, g:spark/4, j:lab/clean)",
        ),
    ),
    "environmentVariables": (
        {
            "run": {
                "environmentVariables": {
                    "environmentVariables": [{"name": "TZ", "value": "UTC"}, {"name": "DB", "value": "s3cr3t"}]
                }
            }
        },
        (
            f'entity(run:{RUN}#parameter/environment%2FTZ, [prov:value="UTC"])',
            f'entity(run:{RUN}#parameter/environment%2FDB, [prov:value="(masked)"])',
            f'used({R}, run:{RUN}#parameter/environment%2FTZ, -, [prov:role="TZ"])',
        ),
    ),
    "executionParameters": (
        {
            "run": {
                "executionParameters": {
                    "parameters": [{"key": "alpha", "value": "0.1"}, {"key": "token", "value": "x"}]
                }
            }
        },
        (
            f'used({R}, run:{RUN}#parameter/alpha, -, [prov:role="alpha"])',
            f'entity(run:{RUN}#parameter/alpha, [prov:value="0.1"])',
            f'entity(run:{RUN}#parameter/token, [prov:value="(masked)"])',
        ),
    ),
    "jobDependencies": (
        {
            "run": {
                "jobDependencies": {
                    "upstream": [{"job": {"namespace": "lab", "name": "first"}, "run": {"runId": RUN[:-1] + "b"}}],
                    "trigger_rule": "ALL_SUCCESS",
                }
            }
        },
        (
            f"activity({R}, [ol:upstreamJob='j:lab/first', ol:upstreamRun='run:{RUN[:-1]}b'])",
            f'activity({R}, [ol:triggerRule="ALL_SUCCESS"])',
        ),
    ),
    "test": (
        {"run": {"test": {"tests": [{"name": "not_null_id", "status": "warn", "severity": "warn", "expected": "0"}]}}},
        (
            f'entity(q:{RUN}/1, [prov:type=\'dqv:QualityMeasurement\', ol:status="warn", ol:expected="0"])',
            f"wasGeneratedBy(q:{RUN}/1, {R}, -)",
        ),
    ),
    "tags of a run": (
        {"run": {"tags": {"tags": [{"key": "env", "value": "prod", "source": "CONFIG"}]}}},
        (f'activity({R}, [dcat:keyword="env=prod"])',),
    ),
    "jobType": (
        {"job": {"jobType": {"processingType": "BATCH", "integration": "DBT", "jobType": "MODEL"}}},
        ('entity(j:lab/clean, [ol:processingType="BATCH", ol:integration="DBT", ol:jobType="MODEL"])',),
    ),
    "sql": (
        {"job": {"sql": {"query": "select 1", "dialect": "duckdb"}}},
        ('entity(j:lab/clean, [schema:text="select 1", schema:programmingLanguage="duckdb"])',),
    ),
    "sourceCode": (
        {"job": {"sourceCode": {"language": "python", "sourceCode": "1"}}},
        (
            'entity(j:lab/clean, [schema:text="1", spdx:checksumValue='
            '"6b86b273ff34fce19d6b804eff5a3f5747ada4eaa22f1d49c01e52ddb7875b4b"])',
        ),
    ),
    "sourceCodeLocation": (
        {"job": {"sourceCodeLocation": {"type": "git", "url": "https://git.example/x", "version": "ab12"}}},
        (
            "specializationOf(j:lab/clean/ab12, j:lab/clean)",
            'entity(j:lab/clean/ab12, [schema:version="ab12", schema:url="https://git.example/x"])',
        ),
    ),
    "documentation of a job": (
        {"job": {"documentation": {"description": "cleans", "contentType": "text/markdown"}}},
        ('entity(j:lab/clean, [dcterms:description="cleans", ol:descriptionFormat="text/markdown"])',),
    ),
    "ownership": (
        {"out": {"ownership": {"owners": [{"name": "team:data", "type": "OWNER"}, {"name": "zoe"}]}}},
        (
            'wasAttributedTo(d:lab/out, g:team/data, [prov:role="OWNER"])',
            "agent(g:team/data, [prov:type='prov:Organization', rdfs:label=\"data\"])",
            'agent(g:zoe, [rdfs:label="zoe"])',
        ),
    ),
    "schema": (
        {
            "out": {
                "schema": {
                    "fields": [
                        {"name": "a", "type": "struct", "fields": [{"name": "b", "type": "int", "ordinal_position": 1}]}
                    ]
                }
            }
        },
        (
            f"hadMember({NEW}, {NEW}#a)",
            f"hadMember({NEW}#a, {NEW}#a.b)",
            f'entity({NEW}#a.b, [schema:additionalType="int", ol:ordinalPosition="1" %% xsd:integer])',
        ),
    ),
    "version": (
        {"raw": {"version": {"datasetVersion": "7"}}, "out": {"version": {"datasetVersion": "8"}}},
        (
            f"used({R}, v:lab/raw/7, -)",
            f"wasGeneratedBy(v:lab/out/8, {R}, -)",
            'entity(v:lab/out/8, [schema:version="8"])',
        ),
    ),
    "the former form of columnLineage": (
        {
            "out": {
                "columnLineage": {
                    "fields": {
                        "x": {
                            "inputFields": [{"namespace": "lab", "name": "raw", "field": "y"}],
                            "transformationType": "IDENTITY",
                            "transformationDescription": "as is",
                        }
                    }
                }
            }
        },
        (
            f'wasDerivedFrom({NEW}#x, {OLD}#y, {R}, -, -, [ol:transformationType="IDENTITY"])',
            f'wasDerivedFrom({NEW}#x, {OLD}#y, {R}, -, -, [dcterms:description="as is"])',
        ),
    ),
    "dataSource": (
        {"raw": {"dataSource": {"name": "pg", "uri": "postgres://u:p@h/db"}}},
        ('entity(d:lab/raw, [dcat:distribution="postgres://h/db", ol:dataSource="pg"])',),
    ),
    "lifecycle: alter": (
        {"out": {"lifecycleStateChange": {"lifecycleStateChange": "ALTER"}}},
        (f"wasDerivedFrom({NEW}, v:lab/out/@unknown/{RUN}, -, -, -, [prov:type='prov:Revision'])",),
    ),
    "lifecycle: rename": (
        {
            "out": {
                "lifecycleStateChange": {
                    "lifecycleStateChange": "RENAME",
                    "previousIdentifier": {"namespace": "lab", "name": "old"},
                }
            }
        },
        (
            f"wasDerivedFrom({NEW}, v:lab/old/@unknown/{RUN}, -, -, -, [prov:type='prov:Revision'])",
            f"wasInvalidatedBy(v:lab/old/@unknown/{RUN}, {R}, -)",
        ),
    ),
    "lifecycle: drop": (
        {"out": {"lifecycleStateChange": {"lifecycleStateChange": "DROP"}}},
        (f"wasInvalidatedBy(v:lab/out/@unknown/{RUN}, {R}, -)",),
    ),
    "symlinks": (
        {"raw": {"symlinks": {"identifiers": [{"namespace": "hive", "name": "t", "type": "TABLE"}]}}},
        ("alternateOf(d:lab/raw, d:hive/t)", 'entity(d:hive/t, [ol:symlinkType="TABLE"])'),
    ),
    "storage": (
        {"raw": {"storage": {"storageLayer": "delta", "fileFormat": "parquet"}}},
        ('entity(d:lab/raw, [dcterms:format="parquet", ol:storageLayer="delta"])',),
    ),
    "datasetType": (
        {"raw": {"datasetType": {"datasetType": "VIEW", "subType": "MATERIALIZED"}}},
        ('entity(d:lab/raw, [schema:additionalType="VIEW", ol:subType="MATERIALIZED"])',),
    ),
    "catalog": (
        {"raw": {"catalog": {"framework": "iceberg", "type": "rest", "name": "main"}}},
        ('entity(d:lab/raw, [dcat:inCatalog="main"])',),
    ),
    "hierarchy": (
        {"raw": {"hierarchy": {"hierarchy": [{"type": "DATABASE", "name": "db"}, {"type": "TABLE", "name": "t"}]}}},
        ('entity(d:lab/raw, [dcterms:isPartOf="db/t"])',),
    ),
    "tags of a dataset and of a field": (
        {"out": {"tags": {"tags": [{"key": "pii", "value": "true", "field": "name"}, {"key": "tier", "value": "1"}]}}},
        ('entity(d:lab/out, [dcat:keyword="tier=1"])', f'entity({NEW}#name, [dcat:keyword="pii=true"])'),
    ),
    "dataQualityMetrics": (
        {
            "i": {
                "dataQualityMetrics": {
                    "rowCount": 5,
                    "columnMetrics": {"id": {"nullCount": 0, "quantiles": {"0.5": 2.5}}},
                }
            }
        },
        (
            f"entity(q:{RUN}/lab/raw/1, [dqv:value=\"5\" %% xsd:integer, dqv:computedOn='{OLD}'])",
            f'entity(q:{RUN}/lab/raw/3, [dqv:value="2.5" %% xsd:double, ol:column="id"])',
            f"wasDerivedFrom(q:{RUN}/lab/raw/1, {OLD})",
        ),
    ),
    "dataQualityAssertions": (
        {"out": {"dataQualityAssertions": {"assertions": [{"assertion": "unique", "success": True, "column": "id"}]}}},
        (
            f'entity(q:{RUN}/lab/out/output/1, [dqv:value="true" %% xsd:boolean, ol:column="id"])',
            f"entity(q:{RUN}/lab/out/output/1, [dqv:computedOn='{NEW}'])",
        ),
    ),
    "inputStatistics": (
        {"i": {"inputStatistics": {"rowCount": 9, "size": 90, "fileCount": 2}}},
        (f'used({R}, {OLD}, -, [ol:rowCount="9" %% xsd:integer, dcat:byteSize="90" %% xsd:integer])',),
    ),
    "outputStatistics": (
        {"o": {"outputStatistics": {"rowCount": 9, "size": 90}}},
        (f'entity({NEW}, [ol:rowCount="9" %% xsd:integer, dcat:byteSize="90" %% xsd:integer])',),
    ),
    "explicit lineage of a job": (
        {
            "job": {
                "lineage": {
                    "entries": [
                        {
                            "type": "DATASET",
                            "namespace": "lab",
                            "name": "out",
                            "inputs": [{"type": "JOB", "runId": RUN[:-1] + "c"}],
                            "fields": {
                                "z": {"inputs": [{"type": "DATASET", "namespace": "n", "name": "s", "field": "f"}]}
                            },
                        }
                    ]
                }
            }
        },
        (
            f"wasGeneratedBy({NEW}, run:{RUN}#lab/out, -)",
            f"wasInformedBy(run:{RUN}#lab/out, run:{RUN[:-1]}c)",
            f"wasDerivedFrom({NEW}#z, v:n/s/@unknown/{RUN}#f, run:{RUN}#lab/out, -, -)",
            f"used(run:{RUN}#lab/out, v:n/s/@unknown/{RUN}, -)",
        ),
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_what_a_facet_becomes(name: str) -> None:
    places, statements = CASES[name]
    document = read(**places)
    holds(document, *statements)
    assert not [s for s in document for key, _ in s.attributes if key.endswith("#facet")], "all of it has a place"


def test_each_facet_of_the_specification_has_a_row() -> None:
    # The keys of OpenLineage 2-0-2, by the place at which they stand.
    run = "nominalTime parent errorMessage extractionError externalQuery processing_engine environmentVariables "
    run += "executionParameters jobDependencies test tags"
    job = "jobType sql sourceCode sourceCodeLocation documentation ownership tags lineage"
    dataset = "schema columnLineage dataSource version lifecycleStateChange symlinks storage datasetType catalog "
    dataset += "hierarchy dataQualityMetrics dataQualityAssertions documentation ownership tags lineage"
    own = "dataQualityMetrics dataQualityAssertions inputStatistics outputStatistics subset"
    assert set(RUN_FACETS) == set(run.split())
    assert {*JOB_FACETS, *ELSEWHERE} == set(job.split())
    assert {*LOGICAL, *VERSION} == set(dataset.split())
    assert set(OWN) == set(own.split())


@pytest.mark.parametrize("place", ["run", "job", "raw", "out", "i", "o"])
def test_a_facet_without_a_row_is_kept_whole(place: str) -> None:
    facet = {"_producer": "p", "_schemaURL": "s", "deep": {"list": [1, 2.5, None, "x"]}}
    document = read(**{place: {"lab_own": facet}})
    kept = [
        json.loads(value.lexical)
        for s in document
        for key, value in s.attributes
        if key.endswith("#facet") and isinstance(value, Literal)
    ]
    assert kept == [{"lab_own": facet}]


@pytest.mark.parametrize(
    ("place", "facet"),
    [
        ("run", {"nominalTime": {"nominalStartTime": DAY, "extra": [1]}}),
        ("job", {"sql": {"query": "1", "extra": [1]}}),
        ("out", {"storage": {"storageLayer": "x", "extra": [1]}}),
        ("out", {"version": {"datasetVersion": "1", "extra": [1]}}),
        ("i", {"inputStatistics": {"rowCount": 1, "extra": [1]}}),
    ],
)
def test_a_member_that_a_row_does_not_name_is_kept(place: str, facet: dict[str, Any]) -> None:
    document = read(**{place: facet})
    kept = [str(value) for s in document for key, value in s.attributes if key.endswith("#facet")]
    assert kept == [json.dumps({next(iter(facet)): {"extra": [1]}}, separators=(",", ":"))]


def test_secrets_are_masked_wherever_they_stand() -> None:
    secret = "hunter2hunter2"
    document = read(
        run={
            "own": {"password": secret, "url": f"https://u:{secret}@h/x"},
            "errorMessage": {"message": f"token={secret}"},
        },
        job={"sql": {"query": f"create user x password='{secret}'"}},
        raw={"catalog": {"framework": "x", "type": "y", "name": "z", "catalogProperties": {"api_key": secret}}},
    )
    assert secret not in formats.write(document, "provn").decode()


def test_the_key_of_a_pair_is_a_name_and_masks_its_value() -> None:
    pairs = [{"key": "team", "value": "food"}, {"key": "api_token", "value": "hunter2"}]
    assert masked({"pairs": pairs, "key": "hunter2"}) == {
        "pairs": [{"key": "team", "value": "food"}, {"key": "api_token", "value": "(masked)"}],
        "key": "(masked)",
    }


def test_a_subset_is_a_part_that_is_used_or_generated() -> None:
    condition = {"type": "partition", "partitions": [{"dimensions": {"day": "1"}}]}
    document = read(i={"subset": {"inputCondition": condition}}, o={"subset": {"outputCondition": condition}})
    used = [s.args[1] for s in document if s.kind.name == "used"]
    (part,) = [s for s in document if s.id in used]
    assert (
        Identifier("http://purl.org/dc/terms/isPartOf"),
        Identifier(f"https://lab.example/ol/version/lab/raw/@unknown/{RUN}"),
    ) in (part.attributes)
    assert json.loads(next(str(v) for k, v in part.attributes if k.endswith("#condition"))) == condition


def test_a_version_read_and_written_at_once_is_a_revision_of_the_one_before() -> None:
    table = {"namespace": "lab", "name": "t", "facets": {"version": {"datasetVersion": "3"}}}
    found = event("COMPLETE", inputs=[table], outputs=[table])
    document = formats.read(json.dumps(found).encode(), format="openlineage", base="https://lab.example/ol/")
    holds(
        document,
        f"used({R}, v:lab/t/3, -)",
        f"wasGeneratedBy(v:lab/t/{RUN}, {R}, -)",
        f"wasDerivedFrom(v:lab/t/{RUN}, v:lab/t/3, -, -, -, [prov:type='prov:Revision'])",
    )


def test_explicit_lineage_of_the_job_itself_and_of_another() -> None:
    other = "00000000-0000-7000-8000-0000000000bb"
    more = {"type": "DATASET", "namespace": "lab", "name": "more"}
    up = {"type": "JOB", "namespace": "lab", "name": "up", "runId": other}
    own = {"type": "JOB", "inputs": [more, up, {"type": "JOB", "namespace": "lab", "name": "clean"}]}
    foreign = {"type": "JOB", "namespace": "lab", "name": "next", "inputs": [{**more, "name": "never"}]}
    document = read(job={"lineage": {"entries": [own, foreign]}})
    holds(
        document,
        f"used({R}, v:lab/more/@unknown/{RUN}, -)",
        f"wasInformedBy({R}, run:{other})",
        f"activity({R}, -, {DAY}, [ol:inputJob='j:lab/up'])",
    )
    text = document.write("provn").decode()
    assert "never/" not in text, "another job read it, not this run"
    assert missing(document, [{"job": {"facets": {"lineage": {"entries": [foreign]}}}}]) == []
