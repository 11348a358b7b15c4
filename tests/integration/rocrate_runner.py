"""Runs in the environment of `roc-validator`: validates crates without a network, and prints the findings as JSON.

The validator fetches the context of RO-Crate. Here the file in the package `rocrate` is the answer: that of RO-Crate
1.3, which has all terms of 1.2. All other requests fail.
"""

import json
import sys
from importlib.resources import files
from typing import Any

import requests
import requests.adapters

CONTEXT = (files("rocrate") / "data" / "ro-crate.jsonld").read_bytes()
asked: list[str] = []


def send(_adapter: Any, request: Any, **_options: Any) -> requests.Response:
    """The answer to a request, in place of the network."""
    asked.append(request.url)
    if not request.url.startswith("https://w3id.org/ro/crate/1.2"):
        raise requests.ConnectionError(request.url)
    answer = requests.Response()
    answer.request, answer.url, answer.status_code = request, request.url, 200
    answer._content = CONTEXT
    answer.headers["Content-Type"] = "application/ld+json"
    return answer


requests.adapters.HTTPAdapter.send = send  # type: ignore[method-assign]

from rocrate.rocrate import ROCrate  # noqa: E402
from rocrate_validator import models, services  # noqa: E402

found = {}
for folder in sys.argv[1:]:
    settings = services.ValidationSettings(
        rocrate_uri=folder,
        profile_identifier="ro-crate-1.2",
        requirement_severity=models.Severity.RECOMMENDED,
        no_cache=True,
    )
    issues = services.validate(settings).get_issues()
    crate = ROCrate(folder)
    found[folder] = {
        "issues": [[issue.severity.name, issue.check.identifier, issue.message] for issue in issues],
        "files": sorted(entity.id for entity in crate.get_by_type("File")),
        "name": crate.name,
    }
print(json.dumps({"found": found, "asked": asked}))
