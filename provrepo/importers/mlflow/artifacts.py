"""Files of runs and models: those that are there have digests; small ones that describe an environment, their text."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from provrepo.importers.sources import SourceFile, digests_of

__all__ = ["ARTIFACTS", "ENVIRONMENT", "TEXT_BYTES", "artifacts_in", "described", "environment", "text_of"]

ARTIFACTS = 1_000
"""The most files of a run or of a model that are described."""

ENVIRONMENT = ("MLmodel", "conda.yaml", "python_env.yaml", "requirements.txt")
"""Names of the files that say with which packages a model was made."""

TEXT_BYTES = 64 << 10
"""The most bytes of such a file that are kept."""

_ALGORITHMS = ("md5", "sha1", "sha256")
_PLACE = re.compile(r"(?:^|.*/)([0-9a-f]{32}|m-[0-9a-f]{32})/artifacts/(.+)")
_PYTHON = re.compile(r"^[ ]*(?:python_version|python): ['\"]?(\d[\w.]*)", re.MULTILINE)
_MLFLOW = re.compile(r"^mlflow_version: ['\"]?(\d[\w.]*)", re.MULTILINE)


def artifacts_in(files: Iterable[SourceFile]) -> dict[str, list[tuple[str, SourceFile]]]:
    """The artifacts among the files of a folder: by run or model, each with its path.

    They are found by the folder of the run or model, never at the address that a record has for them: whoever wrote
    the record would choose what is read.
    """
    found: dict[str, list[tuple[str, SourceFile]]] = {}
    for file in files:
        place = _PLACE.fullmatch(file.path)
        if place is not None:
            found.setdefault(place[1], []).append((place[2], file))
    return found


def described(found: Sequence[tuple[str, SourceFile]]) -> list[dict[str, Any]]:
    """Files with path, size and digests; the text of those that describe an environment.

    Raises:
        OSError: one cannot be read.
    """
    return [
        {"path": path, "size": file.size, "digests": digests_of(file, _ALGORITHMS), **_text(path, file)}
        for path, file in sorted(found, key=lambda each: each[0])[:ARTIFACTS]
    ]


def _text(path: str, file: SourceFile) -> dict[str, str]:
    if path.rpartition("/")[2] not in ENVIRONMENT or file.size > TEXT_BYTES:
        return {}
    return text_of(file.read(TEXT_BYTES))


def text_of(data: bytes) -> dict[str, str]:
    """The member of a file with its text; none for what is no text."""
    try:
        return {"text": data.decode("utf-8")}
    except UnicodeDecodeError:
        return {}


def environment(files: Iterable[Mapping[str, Any]]) -> tuple[str, list[str], str]:
    """The versions of Python, the packages, and the version of MLflow, that files of a model name."""
    texts = {str(file.get("path")).rpartition("/")[2]: str(file["text"]) for file in files if file.get("text")}
    found = (_PYTHON.search(texts.get(name, "")) for name in ("MLmodel", "python_env.yaml"))
    python = next((each[1] for each in found if each), "")
    lines = (line.partition("#")[0].strip() for line in texts.get("requirements.txt", "").splitlines())
    mlflow = _MLFLOW.search(texts.get("MLmodel", ""))
    return python, [line for line in lines if line and not line.startswith("-")], mlflow[1] if mlflow else ""
