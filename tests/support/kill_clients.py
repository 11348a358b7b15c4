"""Clients of the server that ``tests.support.kill`` kills: they submit, update, withdraw, erase, and query each time.

Whatever was acknowledged as indexed must be in the next answer, of the project's dataset and of the public one.
"""

from __future__ import annotations

import hashlib
import http.client
import json
import random
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import provrepo
from provrepo.verify.monitoring import Seen

PROJECT = "killed"
STATEMENTS = 30
MARK = "http://example.org/mark"
GONE_WITHIN = 60.0
"""Seconds within which an erasure by another process reaches the answers of a server on a busy machine."""


def document(number: int, revision: int = 0) -> bytes:
    """A PROV-JSON document of ``STATEMENTS`` entities, each with one attribute that a query can count."""
    entities = {f"ex:d{number}-n{i}": {"ex:mark": f"{number}/{i}/{revision}"} for i in range(STATEMENTS)}
    return json.dumps({"prefix": {"ex": "http://example.org/"}, "entity": entities}).encode()


@dataclass
class Tally:
    """The results of the rounds.

    Attributes:
        acknowledged: name → SHA-256 of each current document.
        gone: name → SHA-256 of its last version, for each document that was withdrawn or erased.
        erased: SHA-256 of bytes that were erased.
        uncertain: names whose last change was not acknowledged, as the server was killed.
        queries: answers that were compared with what was acknowledged.
        seen: the signed checkpoint after the last round.
        seconds: seconds of a ``provrepo submit`` that is not killed. On a busy machine it is more, and kills are later.
    """

    rounds: int = 0
    attempted: int = 0
    acknowledged: dict[str, str] = field(default_factory=dict)
    gone: dict[str, str] = field(default_factory=dict)
    erased: set[str] = field(default_factory=set)
    uncertain: set[str] = field(default_factory=set)
    queries: int = 0
    stored: int = 0
    problems: list[str] = field(default_factory=list)
    seconds: float = 0.0
    seen: Seen | None = None

    def report(self) -> str:
        return (
            f"{self.rounds} rounds, {self.attempted} submissions, {len(self.acknowledged)} acknowledged, "
            f"{len(self.gone)} withdrawn or erased, {self.queries} queries, {self.stored} stored, "
            f"{len(self.problems)} problems"
        )


class KilledError(Exception):
    """The server was killed before its answer was complete, so nothing was acknowledged."""


class Clients:
    """Threads that use one server until it is killed."""

    def __init__(self, url: str, token: str, data: Path, tally: Tally, *, count: int, seed: int) -> None:
        self._url, self._token, self._data, self._tally = url, token, data, tally
        self._lock, self._stop = threading.Lock(), threading.Event()
        self._own: set[str] = set()  # documents that a client of this server is not done with
        self.acknowledged = threading.Event()
        self._threads = [
            threading.Thread(target=self._client, args=[random.Random(seed * 100 + number)]) for number in range(count)
        ]
        self._threads.append(threading.Thread(target=self._owner, args=[random.Random(seed)]))

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Wait for the threads, once the server is dead."""
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def _problem(self, text: str) -> None:
        with self._lock:
            self._tally.problems.append(text)

    def _client(self, chance: random.Random) -> None:
        last = 0
        while not self._stop.is_set():
            with self._lock:
                number = self._tally.attempted = self._tally.attempted + 1
                self._own.add(f"d{number}")
            try:
                last = self._submit(number, 0, "", last)
                choice = chance.random()
                if choice < 0.15:
                    last = self._submit(number, 1, "", last)
                elif choice < 0.35:
                    self._withdraw(number)
                    if choice < 0.2:
                        last = self._submit(number, 0, "&again=true", last)
            except KilledError:
                return
            with self._lock:
                self._own.discard(f"d{number}")

    def _submit(self, number: int, revision: int, options: str, last: int) -> int:
        """Submit a document, and query it; returns the sequence number of its entry, which is more than ``last``."""
        name, content = f"d{number}", document(number, revision)
        with self._lock:
            self._tally.uncertain.add(name)
        method, path = "POST", f"projects/{PROJECT}/documents?name={name}{options}"
        if revision:
            method, path = "PUT", f"projects/{PROJECT}/documents/{name}"
        receipt = self._call(path, method=method, data=content, type="application/json")
        with self._lock:
            self._tally.uncertain.discard(name)
            self._tally.gone.pop(name, None)
            self._tally.acknowledged[name] = hashlib.sha256(content).hexdigest()
        self.acknowledged.set()
        if receipt["sequence"] <= last:
            self._problem(f"{name} has entry {receipt['sequence']}, which is not after {last}")
        if not receipt["indexed"]:
            self._problem(f"{name} was acknowledged and not indexed")
        self._expect(number, revision, present=True)
        if revision:
            self._expect(number, 0, present=False)
        return int(receipt["sequence"])

    def _withdraw(self, number: int) -> None:
        name = f"d{number}"
        with self._lock:
            self._tally.uncertain.add(name)
        self._call(f"projects/{PROJECT}/documents/{name}?reason=a%20mistake", method="DELETE")
        with self._lock:
            self._tally.uncertain.discard(name)
            self._tally.gone[name] = self._tally.acknowledged.pop(name)
        self._expect(number, 0, present=False)

    def _owner(self, chance: random.Random) -> None:
        """Erase documents in another process than the server's: this one."""
        with provrepo.open(self._data, follow=False) as repository:
            while not self._stop.wait(chance.uniform(0.05, 0.5)):
                with self._lock:
                    names = sorted((self._tally.acknowledged.keys() | self._tally.gone) - self._own)
                    names = [name for name in names if name not in self._tally.uncertain]
                if not names:
                    continue
                name = chance.choice(names)
                versions = repository.history(PROJECT, name)
                for version in versions:
                    if version.state != "erased":
                        repository.erase(PROJECT, name, version.version, reason="the law")
                with self._lock:
                    self._tally.gone[name] = self._tally.acknowledged.pop(name, None) or self._tally.gone[name]
                    self._tally.erased |= {version.sha256 for version in versions}
                try:
                    self._expect(int(name[1:]), 0, present=False, within=GONE_WITHIN)
                except KilledError:
                    return

    def _expect(self, number: int, revision: int, *, present: bool, within: float = 0.0) -> None:
        """Query a revision of a document in both datasets: all of it is there, or nothing of it."""
        deadline = time.monotonic() + within
        for dataset in ("sparql", f"projects/{PROJECT}/sparql"):
            values = " ".join(f'"{number}/{i}/{revision}"' for i in range(STATEMENTS))
            query = f"SELECT (COUNT(?s) AS ?n) WHERE {{ VALUES ?o {{ {values} }} ?s <{MARK}> ?o }}"
            while True:
                answer = self._call(f"{dataset}?{urllib.parse.urlencode({'query': query})}")
                found = int(answer["results"]["bindings"][0]["n"]["value"])
                if found == STATEMENTS * present or time.monotonic() >= deadline:
                    break
                time.sleep(0.1)
            with self._lock:
                self._tally.queries += 1
            if found != STATEMENTS * present:
                self._problem(f"d{number} revision {revision} has {found} statements in {dataset}, present: {present}")

    def _call(self, path: str, *, method: str = "GET", data: bytes | None = None, type: str = "") -> Any:  # noqa: A002
        """One request; where the server has no thread or worker for it, again."""
        headers = {"Authorization": f"Bearer {self._token}", "Accept": "application/json"}
        if type:
            headers["Content-Type"] = type
        if method == "PUT":
            headers["If-Match"] = "*"
        if "sparql" in path:
            headers["Accept"] = "application/sparql-results+json"
        while True:
            request = urllib.request.Request(self._url + path, data=data, headers=headers, method=method)
            try:
                with urllib.request.urlopen(request, timeout=120) as answer:
                    return json.load(answer)
            except urllib.error.HTTPError as error:
                text = error.read()
                if error.code not in (429, 503):
                    self._problem(f"{method} {path[:80]}: HTTP {error.code} {text[:300]!r}")
                    raise KilledError from error
                if b"could not be indexed" in text:
                    self._problem(f"{method} {path[:80]}: {text[:300]!r}")
                time.sleep(0.1)
            except (OSError, ValueError, http.client.HTTPException) as error:
                raise KilledError from error
