"""Runs in the environment of `roc-validator`: the findings of the required checks of the profiles of runs, as JSON.

The contexts come from a file, since the validator fetches them and there is no network. Arguments: that file (URL →
context), then the folders of crates, each after the profiles that it is checked against, with commas between them.
"""

import json
import sys
from pathlib import Path
from typing import Any

import requests
import requests.adapters

CONTEXTS = json.loads(Path(sys.argv[1]).read_text("utf-8"))
asked: set[str] = set()


def send(_adapter: Any, request: Any, **_options: Any) -> requests.Response:
    """The answer to a request, in place of the network."""
    asked.add(request.url)
    if request.url not in CONTEXTS:
        raise requests.ConnectionError(request.url)
    answer = requests.Response()
    answer.request, answer.url, answer.status_code = request, request.url, 200
    answer._content = json.dumps({"@context": CONTEXTS[request.url]}).encode()
    answer.headers["Content-Type"] = "application/ld+json"
    return answer


requests.adapters.HTTPAdapter.send = send  # type: ignore[method-assign]

from rocrate_validator import models, services  # noqa: E402

found: dict[str, dict[str, list[list[str]]]] = {}
for profiles, folder in zip(sys.argv[2::2], sys.argv[3::2], strict=True):
    for profile in profiles.split(","):
        settings = services.ValidationSettings(
            rocrate_uri=folder,
            profile_identifier=profile,
            requirement_severity=models.Severity.REQUIRED,
            no_cache=True,
        )
        issues = services.validate(settings).get_issues()
        named = [[issue.check.identifier, str(issue.message)] for issue in issues]
        found.setdefault(folder, {})[profile] = named
print(json.dumps({"found": found, "asked": sorted(asked)}))
