"""Default limits that more than one module applies: numbers of results, seconds and bytes.

Settings (``provrepo.settings``) replace some of them. A limit of one module only is defined in that module.
``docs/reference/limits.md`` is generated from the values and docstrings here.
"""

from __future__ import annotations

PAGE_SIZE = 50
"""Elements of a list, or events of an audit, where ``limit`` is not given: what people scroll through."""

MAX_PAGE_SIZE = 1_000
"""The most elements of a list, events of an audit, or entries of a ledger in one answer."""

LINEAGE_NODES = 10_000
"""Nodes of a lineage in Python and in the JSON of HTTP, where ``limit`` is not given."""

SURROUNDING_THINGS = 5_000
"""Things in one answer to a peer after which no further relations are followed."""

FEDERATED_THINGS = 20_000
"""Things that a lineage across repositories gathers; what is beyond them is declared as missing."""

FEDERATED_RELATIONS = 500_000
"""Relations that a lineage across repositories gathers, counted once for each graph; then it asks no more."""

FEDERATED_REQUESTS = 200
"""Requests to peers for one lineage across repositories."""

FEDERATED_SECONDS = 60.0
"""Seconds of a lineage across repositories for the owner of the data directory, where ``timeout`` is not given."""

PRINTED_NODES = 1_000
"""Nodes of a lineage on the command line, as RDF or PROV over HTTP, and for Marquez, where ``limit`` is not given."""

DRAWN_NODES = 200
"""The most nodes of a lineage in a picture: about as many as can be read, drawn in a tenth of a second."""

MAX_LINEAGE = 10_000
"""The most that ``limit`` and ``depth`` can request of lineage and things over HTTP."""

IMPACT_GROUPS = 1_000
"""Types, agents and projects of an impact, where ``limit`` is not given."""

THING_STATEMENTS = 1_000
"""Statements about one thing, where ``limit`` is not given."""

THING_VERSIONS = 100
"""Versions that are read for the statements about one thing, where ``versions`` is not given."""

MAX_THING_VERSIONS = 1_000
"""The most that ``versions`` can request over HTTP."""

SEARCH_HITS = 50
"""Things that a search returns, where ``limit`` is not given."""

MAX_SEARCH_HITS = 1_000
"""The most that ``limit`` can request of a search over HTTP."""

QUERY_SECONDS = 30.0
"""Seconds of a query: the default of the setting ``query_timeout``, and of queries to other endpoints."""

QUERY_ROWS = 1_000_000
"""Rows or triples of the answer to a query: the default of the setting ``query_rows``."""

QUERY_BYTES = 64 << 20
"""Bytes of the answer to a query: the default of the setting ``query_bytes``."""

MERGED_QUADS = 1_000_000
"""Quads of the projects of one query, without the largest, that are merged with it in some ten seconds."""

BODY_BYTES = 32 << 20
"""Bytes of the body of a request: the default of the setting ``max_body``."""

WORKER_WAIT = 10.0
"""Seconds to wait for a free worker process."""

LOCK_WAIT = 30.0
"""Seconds that a writer waits for the lock of a database."""

STACK_BYTES = 64 << 20
"""Bytes of the stack of a thread that runs parsers or queries, which are recursive."""

NESTED_CONTEXTS = 8
"""JSON-LD contexts that may refer to each other in a chain."""

IMPORT_BYTES = 1 << 30
"""The most bytes that an archive which is imported unpacks to."""

IMPORT_FILES = 10_000
"""The most files of a folder or archive that are imported at once."""

GIT_SECONDS = 120.0
"""Seconds of one run of the program git, which reads the history of a repository."""

GIT_BYTES = 256 << 20
"""Bytes of the output of one run of the program git."""

GIT_COMMITS = 20_000
"""Commits of a history that are imported at once: the newest ones. ``--range`` names others."""

GIT_HASHED = 512 << 20
"""Bytes of the files of a history whose MD5, SHA-1 and SHA-256 are computed; others have the hash of git alone."""
