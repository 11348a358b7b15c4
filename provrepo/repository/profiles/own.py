"""Profiles that a project or the whole repository brings along: kept in the ledger, found by name, tried out.

A profile is one blob, a JSON object from the paths of its files to their texts, and an entry of settings that names it.
A worker needs files: they are made from the blob under the data directory, and made again when they are missing.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from provrepo.checks.profiles import Profile, available, load, read, read_from_user, resolve
from provrepo.checks.report import Report
from provrepo.errors import Conflict, ReadError, UsageError
from provrepo.ledger.entries import PROFILE, REPOSITORY, Entry, canonical
from provrepo.repository import access
from provrepo.repository.catalog import version_info
from provrepo.repository.records import Actor, Backtest, ProfileInfo, VersionInfo
from provrepo.repository.store import Store

__all__ = ["add", "backtest", "chosen", "finder", "folders", "listed"]

MOST_BYTES = 2 * 1024 * 1024
"""Bytes of all files of a profile."""

MOST_FILES = 200
"""Files of a profile."""

SECONDS = 60.0
"""How long a profile may take to be looked through and held against its own examples."""

SHIPPED = "provrepo"
"""Where profiles are from that nobody added."""

ALL = "*"
"""Where profiles are from that every project has."""


# Finding --------------------------------------------------------------------------------------------------------


def finder(store: Store, project: str | None) -> Callable[[str], Profile]:
    """What finds a profile by name: those of the project before those of the repository before those that ship."""

    def find(name: str) -> Profile:
        for stream in _streams(project):
            said = store.ledger.settings(stream).get(PROFILE + name)
            if said is not None:
                return _unpacked(store, name, said["blob"])
        try:
            return load(name)
        except UsageError:
            names = ", ".join(sorted(info.name for info in listed(store, project)))
            raise UsageError(f"no profile is called {name!r}; there are: {names}") from None

    return find


def chosen(store: Store, project: str | None, names: Iterable[str]) -> list[Profile]:
    """The profiles of these names and all that they extend.

    Raises:
        UsageError: a name is unknown.
    """
    return resolve(names, find=finder(store, project))


def folders(store: Store, project: str | None, names: Iterable[str]) -> list[str]:
    """``chosen`` as paths, as worker processes get them."""
    return [str(profile.folder) for profile in chosen(store, project, names)]


def listed(store: Store, project: str | None) -> list[ProfileInfo]:
    """The profiles that a project may name, or where none is given, every project; by name."""
    found = {profile.name: _info(profile, SHIPPED, ()) for profile in available()}
    for stream in reversed(list(_streams(project))):
        history: dict[str, list[Entry]] = {}
        for entry in store.ledger.changes(stream):
            for key in entry.body:
                if key.startswith(PROFILE):
                    history.setdefault(key.removeprefix(PROFILE), []).append(entry)
        for name, entries in history.items():
            profile = _unpacked(store, name, entries[-1].body[PROFILE + name]["blob"])
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


def _unpacked(store: Store, name: str, blob: str) -> Profile:
    """A profile as files. The folder's name is the profile's, because messages show it."""
    folder = store.derived / "profiles" / blob / name
    if not folder.exists():
        _unpack(json.loads(store.blobs.get(blob)), folder, store.temporary())
    return read(folder)


def _unpack(files: Mapping[str, str], folder: Path, partial: Path) -> None:
    """Write the files of a profile below ``partial``, and give that the name of the folder."""
    for path, text in files.items():
        target = partial / path
        target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        target.write_text(text, "utf-8", newline="")
    folder.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    try:
        partial.rename(folder)
    except OSError:
        # Another process made the same files meanwhile.
        shutil.rmtree(partial)
        if not folder.exists():
            raise


# Adding ---------------------------------------------------------------------------------------------------------


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
    """Look a profile through and keep it; see ``Repository.add_profile``."""
    title = source.name.split(".")[0] if source.is_file() else source.resolve().name
    name = access.name("profile", title if name is None else name)
    if name in {profile.name for profile in available()}:
        raise Conflict(f"a profile {name!r} ships with provrepo; choose another name and let it extend that one")
    if source.is_file():
        files = _of_shapes(store, source, name, project, extends, constraints)
    elif extends:
        raise UsageError("what a folder extends is said in its profile.toml")
    else:
        files = _of_folder(source)
    data = canonical(files)
    version = _vetted(store, name, files, project)
    key = PROFILE + name
    with store.ledger.appending(project) as appending:
        earlier = [entry.body[key] for entry in appending.changes() if key in entry.body]
        blob = store.blobs.put(data)
        made = not earlier or earlier[-1]["blob"] != blob
        if made:
            if any(said["version"] == version["version"] and said["blob"] != blob for said in earlier):
                raise Conflict(f"version {version['version']} of the profile {name!r} says something else already")
            appending.append("settings", {key: {**version, "blob": blob}}, actor=actor.id, token=actor.token)
    return next(info for info in listed(store, project) if info.name == name), made


def _vetted(store: Store, name: str, files: Mapping[str, str], project: str) -> dict[str, str]:
    """Title and version of a profile that may be kept."""
    place = store.temporary()
    try:
        _unpack(files, place / name, store.temporary())
        others = chosen(store, project, read_from_user(place / name).extends)
        if name in {other.name for other in others}:
            raise UsageError(f"the profile {name!r} would extend itself")
        arguments = {"folder": str(place / name), "extends": [str(other.folder) for other in others]}
        said = store.pool.call("provrepo.checks.shapes.vetting:vet", arguments, timeout=SECONDS)
    finally:
        shutil.rmtree(place, ignore_errors=True)
    return {"title": said["title"], "version": said["version"]}


def _of_folder(folder: Path) -> dict[str, str]:
    """The files of a folder that belong to a profile."""
    if not (folder / "profile.toml").is_file():
        raise UsageError(f"{folder} is no profile: there is no profile.toml in it")
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
    """A profile that is nothing but a file of shapes: its version is the next number."""
    if file.stat().st_size > MOST_BYTES:
        raise UsageError(f"a profile has at most {MOST_BYTES:,} bytes")
    key = PROFILE + name
    shapes = _text(file)
    numbers = [0]
    for entry in store.ledger.changes(project):
        if key in entry.body:
            files: dict[str, str] = json.loads(store.blobs.get(entry.body[key]["blob"]))
            kept = _toml(name, entry.body[key]["version"], extends, constraints)
            if files == {"profile.toml": kept, "shapes.ttl": shapes}:
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
    # Texts and lists of texts are spelled alike in JSON and TOML.
    return "".join(f"{key} = {json.dumps(value)}\n" for key, value in written.items())


def _text(path: Path) -> str:
    try:
        return path.read_bytes().decode("utf-8")
    except UnicodeDecodeError as error:
        raise ReadError(f"{os.fspath(path)} is not UTF-8 text") from error


# Trying out -----------------------------------------------------------------------------------------------------


def backtest(store: Store, profile: str | Path, project: str) -> Backtest:
    """Hold every current document of a project against a profile; see ``Repository.backtest``."""
    find = finder(store, project)
    tried, before = _tried(store, profile, project, find)
    wanted = resolve([tried], find=find)
    failing: list[tuple[VersionInfo, Report]] = []
    known = documents = 0
    for version in _current(store, project):
        documents += 1
        report = _judged(store, version, wanted)
        if report.conforms:
            continue
        if before is not None and not _judged(store, version, resolve([before], find=find)).conforms:
            known += 1
            continue
        failing.append((version, report))
    return Backtest(project, tried.label, "" if before is None else before.label, documents, known, tuple(failing))


def _tried(
    store: Store, profile: str | Path, project: str, find: Callable[[str], Profile]
) -> tuple[Profile, Profile | None]:
    """What is tried out, and what is in force under its name."""
    if isinstance(profile, str):
        return find(profile), None
    tried = read_from_user(profile, access.name("profile", profile.resolve().name))
    _vetted(store, tried.name, _of_folder(profile), project)
    try:
        return tried, find(tried.name)
    except UsageError:
        return tried, None


def _current(store: Store, project: str) -> Iterator[VersionInfo]:
    erased = store.ledger.erased(project)
    after = ""
    while page := store.ledger.documents(project, after=after, limit=256):
        for name, newest, withdrawal in page:
            if withdrawal is None and (name, newest.body["version"]) not in erased:
                yield version_info(store, newest)
        after = page[-1][0]


def _judged(store: Store, version: VersionInfo, profiles: Sequence[Profile]) -> Report:
    arguments: dict[str, Any] = {
        "source": str(store.blobs.path(version.sha256)),
        "format": version.format,
        "base": version.base or None,
        "profiles": [str(profile.folder) for profile in profiles],
    }
    said = store.pool.call("provrepo.repository.submission.worker:run", arguments, timeout=store.settings.check_timeout)
    return Report.from_dict(said["report"])
