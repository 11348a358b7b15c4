"""The WSGI application: one store, and one blueprint for each subject."""

from __future__ import annotations

from flask import Flask
from jinja2 import StrictUndefined

from provrepo import resources
from provrepo.repository.store import Store
from provrepo.server.discovery import atom, catalogs, linksets, signposts, sitemaps, vocabularies
from provrepo.server.documents import (
    datasets,
    documents,
    exports,
    imports,
    pingback,
    profiles,
    projects,
    publishing,
    statements,
    submissions,
    validate,
)
from provrepo.server.exchange import feed, inbox, log, packages, pending, state, webhooks
from provrepo.server.lineage import gate, lineage, openlineage, provaq
from provrepo.server.marquez import api as marquez
from provrepo.server.marquez import paths
from provrepo.server.monitoring import access_log, audit, health, metrics
from provrepo.server.pages import home, pages, recording, signing, submitting, vendor
from provrepo.server.people import (
    creating,
    invitations,
    joining,
    managing,
    members,
    own_sessions,
    people,
    tokens,
    users,
)
from provrepo.server.protocol import addresses, auth, codings, headers, late_rules, problems
from provrepo.server.queries import canceling, descriptions, graphs, named, running, sparql, terms
from provrepo.server.routing import admission, openapi
from provrepo.server.sign_in import signing_in

__all__ = ["create_app"]


def create_app(store: Store, *, url: str = "") -> Flask:
    """Create the WSGI application of a store.

    Args:
        store: the store; each request gets a ``Repository`` that binds it to the actor of the request.
        url: the URL of the application, for the commands that pages show; the base IRI takes precedence.
    """
    web = resources.root() / "web"
    app = Flask("provrepo", template_folder=str(web / "templates"), static_folder=str(web / "static"))
    app.url_rule_class = late_rules.LateRule
    app.url_map.strict_slashes = False
    app.url_map.merge_slashes = False  # True would redirect to the Host of the request
    app.jinja_env.undefined = StrictUndefined
    app.config["MAX_CONTENT_LENGTH"] = store.settings.max_body
    app.config["MAX_FORM_MEMORY_SIZE"] = store.settings.max_body  # a document can be pasted into a field
    app.config["SEND_FILE_MAX_AGE_DEFAULT"] = 3600
    app.config[addresses.URL] = url
    app.extensions[auth.EXTENSION] = store
    paths.register(app)
    auth.register(app)
    signing_in.register(app)
    access_log.register(app)
    codings.register(app)
    headers.register(app)
    problems.register(app)
    pages.register(app)
    admission.register(app)
    marquez.register(app)
    for part in (
        home,
        signing,
        signing_in,
        submitting,
        recording,
        projects,
        members,
        tokens,
        own_sessions,
        users,
        people,
        invitations,
        creating,
        joining,
        managing,
        publishing,
        datasets,
        packages,
        exports,
        documents,
        statements,
        submissions,
        imports,
        pending,
        webhooks,
        state,
        validate,
        profiles,
        sparql,
        canceling,
        terms,
        vendor,
        named,
        graphs,
        lineage,
        gate,
        marquez,
        openlineage,
        audit,
        health,
        metrics,
        openapi,
        atom,
        catalogs,
        linksets,
        sitemaps,
        vocabularies,
    ):
        app.register_blueprint(part.blueprint)
    descriptions.register(app)
    signposts.register(app)  # before PROV-AQ, whose hook then runs first
    provaq.register(app)
    app.register_blueprint(publishing.api)
    app.register_blueprint(pingback.blueprint)
    app.register_blueprint(inbox.blueprint)
    app.register_blueprint(feed.blueprint)
    app.register_blueprint(log.blueprint)
    metrics.add_load(app, "checks", store.pool.figures)
    running.register(app, threads=store.settings.threads, workers=store.settings.query_workers)
    admission.check(app)
    return app
