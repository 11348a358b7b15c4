"""in-toto attestations: SLSA provenance, links, signed models, in all envelopes."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest

import provrepo
from provrepo.errors import ReadError
from provrepo.importers.attestations.codec import ROOT
from provrepo.importers.contents import content_of
from provrepo.model.document import Document
from provrepo.model.statements import ASSOCIATION, GENERATION, MEMBERSHIP, SPECIALIZATION, USAGE, Kind
from provrepo.repository.repository import Repository
from provrepo.vocab import PROV_ROLE, PROV_VALUE, RDFS_LABEL

RAW = "f8afde172821fb322d42be1e3761af11f53698e9c403c75a9550eaa524d8dfea"
MODEL = "a" * 64
EMPTY = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
RUN = "https://ci.example/runs/1"


def statement(predicate: dict[str, Any], kind: str = "https://slsa.dev/provenance/v1", **more: Any) -> dict[str, Any]:
    return {
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [{"name": "model.pkl", "digest": {"sha256": MODEL}}],
        "predicateType": kind,
        "predicate": predicate,
        **more,
    }


BUILD: dict[str, Any] = {
    "buildDefinition": {
        "buildType": "https://ci.example/train/v1",
        "externalParameters": {"rate": 0.1, "api_token": "hush-hush"},
        "resolvedDependencies": [
            {"name": "raw.csv", "uri": "https://lab.example/raw.csv", "digest": {"sha256": RAW}},
            {"uri": "git+https://lab.example/code", "digest": {"gitCommit": "0" * 39 + "1"}},
        ],
    },
    "runDetails": {
        "builder": {"id": "https://ci.example/runner", "version": {"runner": "2"}},
        "metadata": {"invocationId": RUN, "startedOn": "2026-11-01T10:00:00Z", "finishedOn": "2026-11-01T10:05:00Z"},
        "byproducts": [{"name": "log", "digest": {"sha256": EMPTY}}],
    },
}
OLD: dict[str, Any] = {
    "builder": {"id": "https://ci.example/runner"},
    "buildType": "https://ci.example/make/v1",
    "invocation": {
        "configSource": {"uri": "git+https://lab.example/code", "digest": {"sha1": "1" * 40}, "entryPoint": "train"},
        "parameters": {"rate": "0.1"},
    },
    "metadata": {"buildInvocationId": RUN, "buildFinishedOn": "2026-11-01T10:05:00Z", "reproducible": False},
    "materials": [{"uri": "https://lab.example/raw.csv", "digest": {"sha256": RAW}}],
}
LINK: dict[str, Any] = {
    "name": "train",
    "command": ["python", "train.py"],
    "materials": [{"name": "raw.csv", "digest": {"sha256": RAW}}],
    "environment": {"TOKEN": "hush-hush"},
}
SIGNED: dict[str, Any] = {
    "serialization": {"method": "files"},
    "resources": [{"name": "weights.bin", "algorithm": "sha256", "digest": RAW}],
}


def envelope(data: dict[str, Any], **more: Any) -> dict[str, Any]:
    payload = base64.b64encode(json.dumps(data).encode()).decode()
    return {"payloadType": "application/vnd.in-toto+json", "payload": payload, "signatures": [{"sig": "AA=="}], **more}


def bundle(data: dict[str, Any]) -> dict[str, Any]:
    kind = "application/vnd.dev.sigstore.bundle.v0.3+json"
    return {"mediaType": kind, "verificationMaterial": {}, "dsseEnvelope": envelope(data)}


def read(*values: Any) -> Document:
    return provrepo.read("\n".join(json.dumps(value) for value in values).encode())


def related(document: Document, kind: Kind) -> set[tuple[str, ...]]:
    """Labels of the arguments of relations; identifiers of what has no label."""
    labels = {
        str(one.id): str(value) for one in document for name, value in one.attributes if one.id and name == RDFS_LABEL
    }
    found = [[labels.get(str(arg), str(arg)) for arg in one.args if arg] for one in document if one.kind is kind]
    return {tuple(args) for args in found}


@pytest.mark.parametrize("wrapped", [dict, envelope, bundle])
def test_a_build_in_each_envelope(wrapped: Any) -> None:
    document = read(wrapped(statement(BUILD)))
    assert document.format == "intoto"
    assert related(document, ASSOCIATION) == {("build", "https://ci.example/runner", "https://ci.example/train/v1")}
    used = {args[1] for args in related(document, USAGE)}
    assert used == {"raw.csv", "git+https://lab.example/code", "rate", "api_token"}
    assert related(document, GENERATION) == {
        ("model.pkl", "build", "2026-11-01T10:05:00Z"),
        ("log", "build", "2026-11-01T10:05:00Z"),
    }
    assert related(document, SPECIALIZATION) == {
        ("model.pkl", content_of("sha256", MODEL)),
        ("raw.csv", content_of("sha256", RAW)),
        ("raw.csv", "https://lab.example/raw.csv"),
        ("git+https://lab.example/code", "swh:1:rev:" + "0" * 39 + "1"),
        ("git+https://lab.example/code", "git+https://lab.example/code"),
    }
    assert provrepo.validate(document, profiles=["core"]).conforms
    assert [warning.rule for warning in document.warnings] == ([] if wrapped is dict else ["intoto:not-verified"])
    assert b"hush" not in document.write("provn")


def test_a_build_of_the_earlier_version_has_its_configuration_as_the_plan() -> None:
    document = read(statement(OLD, "https://slsa.dev/provenance/v0.2"))
    assert related(document, ASSOCIATION) == {
        ("build", "https://ci.example/runner", "git+https://lab.example/code"),
    }
    assert {args[1] for args in related(document, USAGE)} == {"rate", "https://lab.example/raw.csv"}
    assert document.warnings == []
    assert provrepo.validate(document, profiles=["core"]).conforms


def test_a_link_and_a_signed_model() -> None:
    link = read(statement(LINK, "https://in-toto.io/attestation/link/v0.3"))
    assert {args[1] for args in related(link, USAGE)} == {"raw.csv", "TOKEN"}
    assert related(link, GENERATION) == {("model.pkl", "train")}
    values = [str(value) for one in link for name, value in one.attributes if name == PROV_VALUE]
    assert values == ["(masked)"]
    model = read(statement(SIGNED, "https://model_signing/signature/v1.0"))
    assert related(model, MEMBERSHIP) == {("model.pkl", "weights.bin")}
    assert (link.warnings, model.warnings) == ([], [])
    assert provrepo.validate(model, profiles=["core"]).conforms
    # A link does not say who carried out the step, and nobody is invented.
    assert provrepo.validate(link).conforms
    assert related(link, ASSOCIATION) == set()


def test_two_builds_of_the_same_bytes_are_two_generations() -> None:
    other = json.loads(json.dumps(BUILD).replace(RUN, "https://other.example/runs/7"))
    document = read(statement(BUILD), statement(other))
    report = provrepo.validate(document, profiles=["core"])
    assert report.conforms
    assert report.possible
    assert len({args for args in related(document, SPECIALIZATION) if args[0] == "model.pkl"}) == 1
    assert len([one for one in document if one.kind is GENERATION]) == 4


def test_the_lineage_of_a_model_leads_through_both_attestations(repository: Repository) -> None:
    prepared = {
        "buildDefinition": {"buildType": "https://ci.example/clean/v1", "resolvedDependencies": []},
        "runDetails": {"builder": {"id": "https://ci.example/runner"}},
    }
    raw = [{"name": "data/raw.csv", "digest": {"sha256": RAW}}]
    repository.import_documents(json.dumps(statement(prepared, subject=raw)).encode(), project="default")
    repository.import_documents(json.dumps(bundle(statement(BUILD))).encode(), project="default")
    content = content_of("sha256", MODEL)
    assert content is not None
    labels = {node.label for node in repository.lineage(content).nodes}
    assert {"model.pkl", "raw.csv", "data/raw.csv", "https://ci.example/runner"} <= labels


def test_other_predicates_and_members_are_named() -> None:
    document = read(statement({"x": 1}, "https://spdx.dev/Document", extra=2))
    assert [warning.message for warning in document.warnings] == [
        "/extra: no member of the specification; it stays in the attestation alone",
        "/predicateType: nothing is stated of a predicate of the type https://spdx.dev/Document; it stays in the attestation alone",  # noqa: E501
    ]
    assert any(one.id and str(one.id).startswith(f"{ROOT}artifact/sha256:{MODEL}") for one in document)


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (statement(BUILD, _type="https://in-toto.io/Statement/v9"), "/_type: no statement of in-toto"),
        (statement(BUILD, subject=[]), "/subject: a list of what it is about is needed"),
        (statement(BUILD, predicateType=7), "/predicateType: a type is needed"),
        (envelope(statement(BUILD), payload="%%"), "/payload: not UTF-8 in base64"),
        (envelope(statement(BUILD), payload=7), "/payload: not UTF-8 in base64"),
        (envelope(statement(BUILD), payload="eyI="), "/payload: line 1 of the payload: not JSON"),
        (envelope(statement(BUILD), payload="W10="), "/payload: one JSON object is needed"),
        (envelope(statement(BUILD), payloadType="text/plain"), "/payloadType: application/vnd.in-toto+json is needed"),
        (bundle(statement(BUILD)) | {"dsseEnvelope": None}, "this bundle signs a file"),
    ],
)
def test_what_is_not_understood_is_left_out_and_named(value: Any, message: str) -> None:
    document = read(value, statement(LINK, "https://in-toto.io/attestation/link/v0.3"))
    (violation,) = [warning for warning in document.warnings if warning.violation]
    assert message in violation.message
    assert violation.line == 1
    assert related(document, GENERATION) == {("model.pkl", "train")}
    assert not provrepo.validate(document, profiles=["core"]).conforms


@pytest.mark.parametrize(
    ("path", "wrong"),
    [
        ("subject", [7]),
        ("predicate", "text"),
        ("predicate.buildDefinition", 7),
        ("predicate.buildDefinition.buildType", {}),
        ("predicate.buildDefinition.externalParameters", [1]),
        ("predicate.buildDefinition.resolvedDependencies", {}),
        ("predicate.buildDefinition.resolvedDependencies.0.digest", "abc"),
        ("predicate.buildDefinition.resolvedDependencies.0.digest.sha256", 7),
        ("predicate.runDetails.builder", None),
        ("predicate.runDetails.metadata.startedOn", "yesterday"),
    ],
)
def test_a_part_of_another_shape_is_named_and_the_rest_is_read(path: str, wrong: Any) -> None:
    data = json.loads(json.dumps(statement(BUILD)))
    *above, last = path.split(".")
    place: Any = data
    for key in above:
        place = place[int(key)] if isinstance(place, list) else place[key]
    place[last] = wrong
    document = read(data)
    pointer = "/" + path.replace(".", "/")
    assert [warning for warning in document.warnings if warning.message.startswith(pointer)]
    assert document.write("provn")


def test_roles_of_parameters_and_no_role_without_a_name() -> None:
    roles = {str(value) for one in read(statement(BUILD)) for name, value in one.attributes if name == PROV_ROLE}
    assert roles == {"rate", "api_token", "byproduct"}


@pytest.mark.parametrize(
    ("algorithm", "digest", "expected"),
    [
        ("sha256", RAW, "ni:///sha-256;-K_eFygh-zItQr4eN2GvEfU2mOnEA8dalVDqpSTY3-o"),
        ("SHA-256", RAW.upper(), "ni:///sha-256;-K_eFygh-zItQr4eN2GvEfU2mOnEA8dalVDqpSTY3-o"),
        ("sha1", "653168802175a37572892c44a8128a1d53a67a39", "urn:hash::sha1:653168802175a37572892c44a8128a1d53a67a39"),
        ("md5", "24394e434866823e1367e511a54aa482", "urn:hash::md5:24394e434866823e1367e511a54aa482"),
        ("gitBlob", "0" * 40, "swh:1:cnt:" + "0" * 40),
        ("sha256", EMPTY, None),
        ("md5", "d41d8cd98f00b204e9800998ecf8427e", None),
        ("sha256", RAW[:-1], None),
        ("sha256", "z" * 64, None),
        ("dirHash", RAW, None),
        ("gitCommit", RAW, None),
    ],
)
def test_contents_are_named_by_digests_of_files_alone(algorithm: str, digest: str, expected: str | None) -> None:
    assert content_of(algorithm, digest) == expected


def test_text_that_is_no_json_has_its_place(tmp_path: Path) -> None:
    file = tmp_path / "broken.intoto.jsonl"
    file.write_text(json.dumps(statement(BUILD)) + "\n{")
    with pytest.raises(ReadError) as error:
        provrepo.read(file)
    assert error.value.line == 2
