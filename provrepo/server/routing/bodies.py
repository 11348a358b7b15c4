"""The schemas of JSON bodies and the headers of responses by endpoint, and the links to further operations."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from provrepo.server.marquez.schemas import ANSWERS as MARQUEZ
from provrepo.server.routing.schema_parts import Schema, ref

__all__ = ["ANSWERS", "BODIES", "HEADERS", "LINKS", "answer"]

ANSWERS: dict[str, str] = {
    "pages.home": "Home",
    "projects.index": "Projects",
    "projects.create": "Project",
    "projects.one": "ProjectWithMetrics",
    **dict.fromkeys(("projects.change", "projects.set_embargo", "projects.lift_embargo"), "Project"),
    "projects.exposure": "Exposure",
    "members.listed": "Members",
    "members.put": "Member",
    "users.listed": "People",
    "users.add": "Person",
    "users.change": "Person",
    "tokens.listed": "Tokens",
    "tokens.make": "MadeToken",
    "tokens.rotate": "MadeToken",
    "own_sessions.listed": "Sessions",
    "members.transfer": "Members",
    "publications.publish": "ReceiptOrPublication",
    "invitations.listed": "Invitations",
    "invitations.make": "NewLink",
    "invitations.revoke": "Invitation",
    "joining.one": "InvitationPage",
    "projects.documents": "Documents",
    "datasets.index": "Datasets",
    "datasets.one": "DatasetOfProject",
    "datasets.to_run_again": "RunsAgain",
    "feed.ledger": "Entries",
    "feed.origin": "Origin",
    "log.one": "Log",
    "log.receipt": "SignedReceipt",
    "submissions.submit": "ReceiptOrPending",
    "submissions.replace": "ReceiptOrPending",
    "submissions.withdraw": "Document",
    "imports.import_": "Imported",
    "pending.receive": "Pending",
    "pending.index": "PendingDocuments",
    "pending.one": "Pending",
    "pending.report": "Report",
    "pending.accept": "Pending",
    "pending.reject": "Pending",
    "pending.ask": "Pending",
    "webhooks.listed": "Webhooks",
    "webhooks.add": "Webhook",
    "webhooks.rotate": "Webhook",
    "webhooks.enable": "Webhook",
    "webhooks.test": "WebhookTest",
    "pending.replace": "Pending",
    "documents.current": "ProvJson",
    "documents.one": "ProvJson",
    "documents.versions": "Versions",
    "documents.report": "Report",
    "documents.metadata": "Metadata",
    "statements.listed": "Statements",
    "statements.diff": "Changes",
    "statements.citation": "SchemaOrg",
    "validate.validate": "Report",
    "queries.index": "Queries",
    "terms.terms": "Terms",
    "lineage.lineage": "LineageOrProvJson",
    "lineage.surroundings": "Surroundings",
    "lineage.impact": "Impact",
    "lineage.common": "Common",
    "lineage.thing": "KnownThingOrProvJson",
    "lineage.search": "Search",
    "gate.gate": "Gate",
    "profiles.index": "Profiles",
    **MARQUEZ,
    "openlineage.receive": "ReceivedEventOrEvents",
    "openlineage.receive_in_project": "ReceivedEventOrEvents",
    "openlineage.receive_batch": "ReceivedEvents",
    "openlineage.receive_batch_in_project": "ReceivedEvents",
    "pingback.of_document": "Pingbacks",
    "pingback.of_project": "Pingbacks",
    "exchange.peers": "Peers",
    "exchange.peer": "Peer",
    **dict.fromkeys(("exchange.holders", "exchange.holders_of_project"), "Holders"),
    **dict.fromkeys(("exchange.notices", "exchange.notices_of_project"), "Notices"),
    "exchange.notice": "Notice",
    **dict.fromkeys(("exchange.pushes", "exchange.pushes_of_project"), "Pushes"),
    "exchange.mirrors": "Mirrors",
    "exchange.mirror": "Mirror",
    "sessions.who": "Caller",
    "submitting.form": "Submitting",
    "recording.form": "Recording",
    "health.health": "Health",
    "health.ready": "Ready",
    "metrics.one": "Metrics",
    "audit.of_project": "Audit",
    "openapi.own": "OpenAPI",
}
"""The name of the schema of an ``application/json`` response, by endpoint."""

BODIES: dict[str, str] = {
    "projects.create": "NewProject",
    "projects.change": "ProjectChange",
    "projects.set_embargo": "NewEmbargo",
    "members.put": "NewMember",
    "users.add": "NewPerson",
    "users.change": "ChangedPerson",
    "members.transfer": "NewOwner",
    "invitations.make": "NewInvitation",
    "webhooks.add": "NewWebhook",
    "gate.gate": "GateRequest",
    "lineage.surroundings": "SurroundingsQuestion",
}
"""The name of the schema of an ``application/json`` request body, by endpoint."""

_IN_PROJECT = {"project": "$response.body#/name"}
_IN_DOCUMENT = {"project": "$response.body#/project", "document": "$response.body#/name"}
_IN_VERSION = {**_IN_DOCUMENT, "version": "$response.body#/version"}
_OF_RECEIPT = (
    *(("documents.current", "GET", _IN_DOCUMENT), ("documents.versions", "GET", _IN_DOCUMENT)),
    *((f"documents.{name}", "GET", _IN_VERSION) for name in ("one", "original", "report", "metadata")),
    ("submissions.replace", "PUT", {**_IN_DOCUMENT, "header.If-Match": "$response.header.ETag"}),
    ("submissions.withdraw", "DELETE", {**_IN_DOCUMENT, "header.If-Match": "$response.header.ETag"}),
    ("sparql.one_version", "GET", _IN_VERSION),
    ("pingback.received_for_version", "POST", _IN_VERSION),
    ("pingback.of_document", "GET", _IN_DOCUMENT),
)
_BYTES = ("Content-Disposition", "Repr-Digest")
_PARTS = ("Accept-Ranges", "Content-Range")

HEADERS: dict[str, Sequence[str]] = {
    **dict.fromkeys(("projects.create", "pending.receive"), ("Location",)),
    **dict.fromkeys(("submissions.submit", "submissions.replace"), ("ETag", "Location")),
    "publications.publish": ("Location",),
    "feed.ledger": ("Provrepo-About", "Provrepo-Sequence", "Provrepo-Setup-Id"),
    "feed.blob": (*_BYTES, *_PARTS),
    "exports.project": (
        *_BYTES,
        "Provrepo-Documents",
        "Provrepo-Left-Out",
        "Provrepo-Relations",
        "Provrepo-Sequence",
        "Provrepo-Things",
        "Provrepo-Unread",
    ),
    "packages.package": (
        *_BYTES,
        "Provrepo-Files",
        "Provrepo-Omitted",
        "Provrepo-Originals",
        "Provrepo-Sequence",
        "Provrepo-Withdrawn",
    ),
    **dict.fromkeys(("documents.current", "documents.one"), ("Content-Disposition",)),
    "documents.original": ("Digest", *_BYTES),
    **dict.fromkeys(("pending.original", "graphs.one"), ("Content-Disposition",)),
    "lineage.lineage": ("Content-Disposition", "Provrepo-Complete", "Provrepo-Edges", "Provrepo-Nodes"),
    "lineage.thing": ("Content-Disposition", "Provrepo-Statements", "Provrepo-Versions"),
    "inbox.receive": ("Location",),
    **dict.fromkeys(("inbox.listed", "inbox.one"), ("Accept-Post",)),
    "static": ("Content-Disposition", *_PARTS),
}
"""The response headers of each operation that has more than every one has; ``RESPONSE_HEADERS`` describes them."""

LINKS: dict[str, Sequence[tuple[str, str, Mapping[str, str]]]] = {
    "projects.create": (
        *((name, "GET", _IN_PROJECT) for name in ("projects.one", "projects.documents", "feed.ledger")),
        ("submissions.submit", "POST", _IN_PROJECT),
        ("metrics.one", "GET", _IN_PROJECT),
        ("sparql.endpoint", "GET", _IN_PROJECT),
        ("pingback.of_project", "GET", _IN_PROJECT),
        *((f"exchange.{name}_of_project", "GET", _IN_PROJECT) for name in ("holders", "notices", "pushes")),
    ),
    "submissions.submit": _OF_RECEIPT,
    "submissions.replace": _OF_RECEIPT,
    "submissions.withdraw": (("documents.current", "GET", _IN_DOCUMENT), ("documents.versions", "GET", _IN_DOCUMENT)),
}
"""The links of responses, by endpoint: target endpoint, method, and parameters as OpenAPI runtime expressions."""


def answer(endpoint: str, media_type: str) -> Schema | None:
    """The schema of a response; None if its media type has no JSON Schema."""
    if media_type == "application/sparql-results+json":
        return ref("SparqlResults")
    if media_type == "application/json" and endpoint in ANSWERS:
        return ref(ANSWERS[endpoint])
    if media_type.startswith("application/linkset+json"):
        return ref("Linkset")
    return ref("ProvJson") if media_type == "application/prov+json" else None
