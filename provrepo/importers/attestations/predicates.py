"""The predicates that are understood: type → function. Each states what it says of the subjects.

https://slsa.dev/spec/v1.1/provenance, https://slsa.dev/spec/v0.2/provenance,
https://github.com/in-toto/attestation/blob/main/spec/predicates/link.md, https://github.com/sigstore/model-transparency.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from provrepo.importers.attestations.resources import Stating, details, role
from provrepo.importers.json_values import Problem
from provrepo.importers.statements import words
from provrepo.model.identifiers import Identifier
from provrepo.model.statements import ASSOCIATION, GENERATION, MEMBERSHIP, USAGE
from provrepo.vocab import MLS, PROV, RDFS_LABEL, SCHEMA

__all__ = ["PREDICATES"]

Predicate = Callable[[Stating, Mapping[str, Any], str], None]


def _slsa_1(stating: Stating, predicate: Mapping[str, Any], pointer: str) -> None:
    """SLSA provenance 1.0 and 1.1: one build."""
    stating.known(predicate, ("buildDefinition", "runDetails"), pointer)
    at = f"{pointer}/buildDefinition"
    build = stating.object(predicate.get("buildDefinition"), at)
    stating.known(build, ("buildType", "externalParameters", "internalParameters", "resolvedDependencies"), at)
    run_at = f"{pointer}/runDetails"
    run = stating.object(predicate.get("runDetails"), run_at)
    stating.known(run, ("builder", "metadata", "byproducts"), run_at)
    metadata = stating.object(run.get("metadata"), f"{run_at}/metadata")
    stating.known(metadata, ("invocationId", "startedOn", "finishedOn"), f"{run_at}/metadata")
    activity, end = _build(stating, metadata, f"{run_at}/metadata", ("invocationId", "startedOn", "finishedOn"))
    builder = stating.object(run.get("builder"), f"{run_at}/builder")
    stating.known(builder, ("id", "version", "builderDependencies"), f"{run_at}/builder")
    _builder(stating, activity, builder, f"{run_at}/builder", _plan(stating, build.get("buildType"), f"{at}/buildType"))
    for name in ("externalParameters", "internalParameters"):
        stating.parameters(activity, stating.object(build.get(name), f"{at}/{name}"), name)
    _use(stating, activity, build.get("resolvedDependencies"), f"{at}/resolvedDependencies")
    _use(stating, activity, builder.get("builderDependencies"), f"{run_at}/builder/builderDependencies", "builder")
    byproducts = stating.objects(run.get("byproducts"), f"{run_at}/byproducts")
    _generate(
        stating, activity, [stating.resource(item, place, made=True) for place, item in byproducts], end, "byproduct"
    )
    _generate(stating, activity, stating.subjects(made=True), end)


def _slsa_0(stating: Stating, predicate: Mapping[str, Any], pointer: str) -> None:
    """SLSA provenance 0.1 and 0.2: a build of materials by a configuration, which is its plan."""
    members = ("builder", "buildType", "invocation", "buildConfig", "recipe", "metadata", "materials")
    stating.known(predicate, members, pointer)
    metadata = stating.object(predicate.get("metadata"), f"{pointer}/metadata")
    of_run = ("buildInvocationId", "buildInvocationID", "buildStartedOn", "buildFinishedOn")
    stating.known(metadata, (*of_run, "completeness", "reproducible"), f"{pointer}/metadata")
    key = of_run[0] if of_run[0] in metadata else of_run[1]
    activity, end = _build(stating, metadata, f"{pointer}/metadata", (key, *of_run[2:]))
    more = details(metadata, "completeness", "reproducible")
    invocation = stating.object(predicate.get("invocation"), f"{pointer}/invocation")
    stating.known(invocation, ("configSource", "parameters", "environment"), f"{pointer}/invocation")
    recipe = stating.object(predicate.get("recipe"), f"{pointer}/recipe")
    stating.known(recipe, ("type", "definedInMaterial", "entryPoint", "arguments", "environment"), f"{pointer}/recipe")
    kind = predicate.get("buildType") or recipe.get("type")
    plan = _plan(stating, kind, f"{pointer}/buildType")
    source = dict(stating.object(invocation.get("configSource"), f"{pointer}/invocation/configSource"))
    more += details({"entryPoint": source.pop("entryPoint", None) or recipe.get("entryPoint")}, "entryPoint")
    if source:
        plan = stating.resource(source, f"{pointer}/invocation/configSource", [f"{PROV}Plan"])
        more += words(f"{SCHEMA}additionalType", kind)
    stating.statements.activity(activity, None, None, more)
    builder = stating.object(predicate.get("builder"), f"{pointer}/builder")
    stating.known(builder, ("id",), f"{pointer}/builder")
    _builder(stating, activity, builder, f"{pointer}/builder", plan)
    for name, found in (
        *((name, invocation.get(name)) for name in ("parameters", "environment")),
        *((name, recipe.get(name)) for name in ("arguments", "environment")),
        ("buildConfig", predicate.get("buildConfig")),
    ):
        if found is not None:
            stating.parameters(activity, found if isinstance(found, dict) else {name: found}, name)
    _use(stating, activity, predicate.get("materials"), f"{pointer}/materials")
    _generate(stating, activity, stating.subjects(made=True), end)


def _link(stating: Stating, predicate: Mapping[str, Any], pointer: str) -> None:
    """A link of in-toto: a command that used materials and made the subjects."""
    stating.known(predicate, ("name", "command", "materials", "byproducts", "environment"), pointer)
    name = stating.text(predicate.get("name"), f"{pointer}/name")
    activity = stating.statements.activity(
        f"{stating.root}{stating.digest}/step",
        None,
        None,
        words(RDFS_LABEL, name or "step"),
        details(predicate, "command"),
    )
    for member in ("environment", "byproducts"):
        stating.parameters(activity, stating.object(predicate.get(member), f"{pointer}/{member}"), member)
    _use(stating, activity, predicate.get("materials"), f"{pointer}/materials")
    _generate(stating, activity, stating.subjects(made=True), None)


def _model(stating: Stating, predicate: Mapping[str, Any], pointer: str) -> None:
    """A signed model: a collection of its files."""
    stating.known(predicate, ("serialization", "resources"), pointer)
    subjects = stating.subjects(made=False)
    for subject in subjects:
        stating.statements.entity(
            subject, details(predicate, "serialization"), types=[f"{MLS}Model", f"{PROV}Collection"]
        )
    for place, item in stating.objects(predicate.get("resources"), f"{pointer}/resources"):
        stating.known(item, ("name", "algorithm", "digest"), place)
        algorithm = stating.text(item.get("algorithm"), f"{place}/algorithm")
        file = {"name": item.get("name"), "digest": {algorithm: item.get("digest")}}
        for subject in subjects:
            stating.statements.relate(MEMBERSHIP, subject, stating.resource(file, place))


PREDICATES: Mapping[str, Predicate] = {
    "https://slsa.dev/provenance/v1": _slsa_1,
    "https://slsa.dev/provenance/v0.2": _slsa_0,
    "https://slsa.dev/provenance/v0.1": _slsa_0,
    "https://in-toto.io/attestation/link/v0.3": _link,
    "https://model_signing/signature/v1.0": _model,
}
"""The type of a predicate → what it states."""


def _build(
    stating: Stating, metadata: Mapping[str, Any], pointer: str, names: tuple[str, str, str]
) -> tuple[Identifier, str | None]:
    """The activity of a build, and its end."""
    invocation = stating.text(metadata.get(names[0]), f"{pointer}/{names[0]}")
    start, end = (stating.time(metadata.get(name), f"{pointer}/{name}") for name in names[1:])
    own = f"{stating.root}{stating.digest}/build"
    name = stating.iri(invocation, "build") if invocation else own
    activity = stating.statements.activity(
        name, start, end, words(RDFS_LABEL, "build"), words(f"{SCHEMA}identifier", invocation)
    )
    return activity, end


def _plan(stating: Stating, kind: Any, pointer: str) -> Identifier | None:
    text = stating.text(kind, pointer)
    return stating.statements.entity(stating.iri(text, "plan"), types=[f"{PROV}Plan"]) if text else None


def _builder(
    stating: Stating, activity: Identifier, builder: Mapping[str, Any], pointer: str, plan: Identifier | None
) -> None:
    name = stating.text(builder.get("id"), f"{pointer}/id")
    if not name:
        stating.problems.append(Problem(f"{pointer}/id", "an identifier of the builder is needed"))
        return
    agent = stating.statements.agent(
        stating.iri(name, "builder"),
        words(RDFS_LABEL, name),
        details(builder, "version"),
        types=[f"{PROV}SoftwareAgent"],
    )
    stating.statements.relate(ASSOCIATION, activity, agent, plan)


def _use(stating: Stating, activity: Identifier, found: Any, pointer: str, in_role: str = "") -> None:
    for place, item in stating.objects(found, pointer):
        stating.statements.relate(USAGE, activity, stating.resource(item, place), attributes=role(in_role))


def _generate(
    stating: Stating, activity: Identifier, products: list[Identifier], end: str | None, in_role: str = ""
) -> None:
    for product in products:
        stating.statements.relate(GENERATION, product, activity, end, attributes=role(in_role))
