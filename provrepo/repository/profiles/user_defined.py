"""User-defined profiles of a project or of the whole repository: look-up by name, adding, and backtests.

A profile is stored as one blob, a JSON object from the paths of its files to their texts, and an entry of settings with
its name. Workers need files, which are unpacked from the blob below the data directory when they are missing.
"""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from provrepo.checks.profiles import Profile, available, load, read, read_from_user, resolve
from provrepo.checks.report import Report
from provrepo.errors import Conflict, ReadError, UsageError
from provrepo.ledger.entries import PROFILE, REPOSITORY, Entry, canonical
from provrepo.repository import access
from provrepo.repository.catalog import current_submissions, version_info
from provrepo.repository.exchange.blobs import has_blob, read_blob, require_blob
from provrepo.repository.records import Actor, Backtest, ProfileInfo, VersionInfo
from provrepo.repository.store import Store

__all__ = ["add", "backtest", "chosen", "finder", "folders", "listed"]

MOST_BYTES = 2 * 1024 * 1024
"""The most bytes of all files of a profile."""

MOST_FILES = 200
"""The most files of a profile."""

SECONDS = 60.0
"""The timeout of the check of a new profile, including its own examples."""

SHIPPED = "provrepo"
"""The origin of built-in profiles."""

ALL = "*"
"""The origin of profiles of the whole repository."""


def finder(store: Store, project: str | None) -> Callable[[str], Profile]:
    """Return a function from names to profiles: first of the project, then of the repository, then built-in ones."""

    def find(name: str) -> Profile:
        for stream in _streams(project):
            setting = store.ledger.settings(stream).get(PROFILE + name)
            if setting is not None:
                return _unpacked(store, stream, name, setting["blob"])
        try:
            return load(name)
        except UsageError:
            names = ", ".join(sorted(info.name for info in listed(store, project)))
            raise UsageError(f"no profile is called {name!r}; there are: {names}") from None

    return find


def chosen(store: Store, project: str | None, names: Iterable[str]) -> list[Profile]:
    """Return the profiles of these names and all profiles that they extend.

    Raises:
        UsageError: a name is unknown.
    """
    return resolve(names, find=finder(store, project))


def folders(store: Store, project: str | None, names: Iterable[str]) -> list[str]:
    """Return the folders of ``chosen``, as arguments for worker processes."""
    return [str(profile.folder) for profile in chosen(store, project, names)]


def listed(store: Store, project: str | None) -> list[ProfileInfo]:
    """Return the profiles of a project, or with None those of every project, by name."""
    found = {profile.name: _info(profile, SHIPPED, ()) for profile in available()}
    for stream in reversed(list(_streams(project))):
        history: dict[str, list[Entry]] = {}
        for entry in store.ledger.changes(stream):
            for key in entry.body:
                if key.startswith(PROFILE):
                    history.setdefault(key.removeprefix(PROFILE), []).append(entry)
        for name, entries in history.items():
            setting = entries[-1].body[PROFILE + name]
            try:
                profile = _unpacked(store, stream, name, setting["blob"])
            except Exception:  # (foreign content was not checked when it was added)
                if store.ledger.mirror(stream) is None:
                    raise
                missing = "This mirror does not have its content, or has what is not a profile."
                found[name] = ProfileInfo(name, setting["title"], setting["version"], missing, "", origin=stream)
            else:
                found[name] = _info(profile, stream or ALL, entries)
    return [found[name] for name in sorted(found)]


def _streams(project: str | None) -> Iterator[str]:
    if project:
        yield project
    yield REPOSITORY


def _info(profile: Profile, origin: str, entries: Sequence[Entry]) -> ProfileInfo:
    last = entries[-1] if entries else None
    return ProfileInfo(
        name=profile.name,
        title=profile.title,
        version=profile.version,
        purpose=" ".join(profile.purpose.split()),
        constraints=profile.constraints,
        extends=profile.extends,
        origin=origin,
        blob="" if last is None else str(last.body[PROFILE + profile.name]["blob"]),
        time="" if last is None else last.time,
        versions=tuple(dict.fromkeys(str(e.body[PROFILE + profile.name]["version"]) for e in entries))
        or (profile.version,),
    )


def _unpacked(store: Store, stream: str, name: str, blob: str) -> Profile:
    """Return a profile whose files are unpacked. The folder has the name of the profile, which messages show.

    Raises:
        NotFound: the content is not here, as in some mirrors.
        UsageError: the content is not that of a profile, which may be so in a mirror.
    """
    folder = store.derived / "profiles" / blob / name
    if stream:
        require_blob(store, stream, blob)
    if not folder.exists():
        _unpack(_files(store.blobs.get(blob)), folder, store.temporary())
    return read(folder)


_PATH = re.compile(r"profile\.toml|shapes\.ttl|examples/(?:good|bad)/[^/\\\0]{1,255}")


def _files(data: bytes) -> dict[str, str]:
    """Return path → text of a stored profile. That of a mirror was not checked when it was added."""
    try:
        files = json.loads(data)
    except ValueError:
        files = None
    if not (
        isinstance(files, dict)
        and len(files) <= MOST_FILES
        and len(data) <= 2 * MOST_BYTES
        and all(isinstance(text, str) and _PATH.fullmatch(path) and path[-3:] != "/.." for path, text in files.items())
        and not any(path.endswith("/.") for path in files)
    ):
        raise UsageError("its content is not that of a profile")
    return files


def _unpack(files: Mapping[str, str], folder: Path, partial: Path) -> None:
    """Write the files of a profile below ``partial``, which is then renamed to ``folder``."""
    for path, text in files.items():
        target = partial / path
        target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        target.write_text(text, "utf-8", newline="")
    folder.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    try:
        partial.rename(folder)
    except OSError:
        # Another process has unpacked the same files meanwhile.
        shutil.rmtree(partial)
        if not folder.exists():
            raise


def add(
    store: Store,
    actor: Actor,
    source: Path,
    *,
    name: str | None,
    project: str,
    extends: Sequence[str],
    constraints: str,
) -> tuple[ProfileInfo, bool]:
    """Check and store a profile; see ``Repository.add_profile``.

    Returns:
        The profile, and whether it was stored now.
    """
    title = source.name.split(".")[0] if source.is_file() else source.resolve().name
    name = access.name("profile", title if name is None else name)
    if name in {profile.name for profile in available()}:
        raise Conflict(f"a profile {name!r} ships with provrepo; choose another name and let it extend that one")
    if source.is_file():
        files = _of_shapes(store, source, name, project, extends, constraints)
    elif extends:
        raise UsageError("the profile.toml of a folder states what it extends")
    else:
        files = _of_folder(source)
    data = canonical(files)
    version = _vetted(store, name, files, project)
    key = PROFILE + name
    store.ledger.require_own(project)
    with store.ledger.appending(project) as appending:
        earlier = [entry.body[key] for entry in appending.changes() if key in entry.body]
        blob = store.blobs.put(data)
        new = not earlier or earlier[-1]["blob"] != blob
        if new:
            if any(other["version"] == version["version"] and other["blob"] != blob for other in earlier):
                raise Conflict(f"version {version['version']} of the profile {name!r} has other content already")
            appending.append("settings", {key: {**version, "blob": blob}}, actor=actor.id, token=actor.token)
    return next(info for info in listed(store, project) if info.name == name), new


def _vetted(store: Store, name: str, files: Mapping[str, str], project: str) -> dict[str, str]:
    """Check a new profile in a worker process; return its ``title`` and ``version``."""
    folder = store.temporary()
    try:
        _unpack(files, folder / name, store.temporary())
        others = chosen(store, project, read_from_user(folder / name).extends)
        if name in {other.name for other in others}:
            raise UsageError(f"the profile {name!r} would extend itself")
        arguments = {"folder": str(folder / name), "extends": [str(other.folder) for other in others]}
        vetted = store.pool.call("provrepo.checks.shapes.vetting:vet", arguments, timeout=SECONDS)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return {"title": vetted["title"], "version": vetted["version"]}


def _of_folder(folder: Path) -> dict[str, str]:
    """Return path → text of the files of a folder that belong to a profile."""
    if not (folder / "profile.toml").is_file():
        raise UsageError(f"{folder} is not a profile: it contains no profile.toml")
    files: dict[str, str] = {}
    size = 0
    paths = [folder / "profile.toml", folder / "shapes.ttl"]
    for kind in ("good", "bad"):
        examples = folder / "examples" / kind
        paths += sorted(path for path in examples.iterdir() if path.is_file()) if examples.is_dir() else []
    for path in paths:
        size += path.stat().st_size
        if size > MOST_BYTES or len(files) >= MOST_FILES:
            raise UsageError(f"a profile has at most {MOST_FILES} files of {MOST_BYTES:,} bytes together")
        files[path.relative_to(folder).as_posix()] = _text(path)
    return files


def _of_shapes(
    store: Store, file: Path, name: str, project: str, extends: Sequence[str], constraints: str
) -> dict[str, str]:
    """Return path → text of a profile that consists of one file of shapes; its version is the next number."""
    if file.stat().st_size > MOST_BYTES:
        raise UsageError(f"a profile has at most {MOST_BYTES:,} bytes")
    key = PROFILE + name
    shapes = _text(file)
    numbers = [0]
    for entry in store.ledger.changes(project):
        if key in entry.body:
            files: dict[str, str] = _files(read_blob(store, project, entry.body[key]["blob"]))
            stored = _toml(name, entry.body[key]["version"], extends, constraints)
            if files == {"profile.toml": stored, "shapes.ttl": shapes}:
                return files
            numbers += [int(entry.body[key]["version"])] if entry.body[key]["version"].isdigit() else []
    return {"profile.toml": _toml(name, str(max(numbers) + 1), extends, constraints), "shapes.ttl": shapes}


def _toml(name: str, version: str, extends: Sequence[str], constraints: str) -> str:
    written = {
        "title": name,
        "version": version,
        "purpose": f"The shapes of {name}.",
        "constraints": constraints,
        "extends": list(extends),
    }
    # Strings and lists of strings have the same syntax in JSON and TOML.
    return "".join(f"{key} = {json.dumps(value)}\n" for key, value in written.items())


def _text(path: Path) -> str:
    try:
        return path.read_bytes().decode("utf-8")
    except UnicodeDecodeError as error:
        raise ReadError(f"{os.fspath(path)} is not UTF-8 text") from error


def backtest(store: Store, profile: str | Path, project: str) -> Backtest:
    """Check every current document of a project against a profile; see ``Repository.backtest``."""
    find = finder(store, project)
    tried, before = _tried(store, profile, project, find)
    wanted = resolve([tried], find=find)
    failing: list[tuple[VersionInfo, Report]] = []
    known = documents = 0
    for entry in current_submissions(store, project):
        version = version_info(store, entry)
        if not has_blob(store, project, version.sha256):
            continue
        documents += 1
        report = _report(store, version, wanted)
        if report.conforms:
            continue
        if before is not None and not _report(store, version, resolve([before], find=find)).conforms:
            known += 1
            continue
        failing.append((version, report))
    return Backtest(project, tried.label, "" if before is None else before.label, documents, known, tuple(failing))


def _tried(
    store: Store, profile: str | Path, project: str, find: Callable[[str], Profile]
) -> tuple[Profile, Profile | None]:
    """Return the profile to test, and the one in force under its name."""
    if isinstance(profile, str):
        return find(profile), None
    tried = read_from_user(profile, access.name("profile", profile.resolve().name))
    _vetted(store, tried.name, _of_folder(profile), project)
    try:
        return tried, find(tried.name)
    except UsageError:
        return tried, None


def _report(store: Store, version: VersionInfo, profiles: Sequence[Profile]) -> Report:
    arguments: dict[str, Any] = {
        "source": str(store.blobs.path(version.sha256)),
        "format": version.format,
        "base": version.base or None,
        "profiles": [str(profile.folder) for profile in profiles],
    }
    result = store.pool.call(
        "provrepo.repository.submission.worker:run", arguments, timeout=store.settings.check_timeout
    )
    return Report.from_dict(result["report"])
