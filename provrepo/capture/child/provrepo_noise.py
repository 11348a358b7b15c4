"""Which files are part of a program and not its data: code, the system, resources and caches of packages.

A file counts as data wherever it lies if it is opened as data. What is not data is recognized by its path, by its
suffix, and by the frames of whoever opens it. Like ``provrepo_child`` this runs inside programs of others.
"""

from __future__ import annotations

import os
import sys

_COMPILED_CODE = (".pyc", ".pyi", ".so", ".pth", ".pyd", ".dylib")
_RESOURCES = (
    *(".afm", ".otf", ".pfb", ".ttc", ".ttf", ".woff", ".woff2"),
    *(".cfg", ".conf", ".ini", ".mplstyle", ".toml"),
    *(".css", ".htm", ".html", ".j2", ".jinja", ".jinja2", ".js", ".map", ".tmpl", ".tpl"),
    *(".mo", ".pem", ".po"),
    *(".md", ".rst"),
    *(".a", ".c", ".cpp", ".cu", ".dll", ".h", ".hpp", ".pxd", ".pyx"),
)
"""Resources of packages: fonts, configuration, pages, translations, certificates, documents, libraries."""
_INSTALLED = (".dist-info", ".egg-info", "zoneinfo")
"""Folders, or their suffixes, of metadata and time zones beside packages."""
_SHARED = ("/fonts/", "/icons/", "/jupyter/", "/locale/", "/mime/", "/terminfo/", "/zoneinfo/")
"""Folders below ``/usr/share`` that programs need for themselves."""
_COMPILED = os.sep + "__pycache__" + os.sep
_STANDARD = os.path.dirname(os.__file__) + os.sep
_SYSTEM = ("/proc/", "/sys/", "/dev/", "/usr/lib/", "/usr/lib64/", "/etc/", _STANDARD)
_MEMORY = "/dev/shm/"  # noqa: S108 (data that lies in memory)
_SHARE = ("/usr/share/", "/usr/local/share/")
_PACKAGES = (os.sep + "site-packages" + os.sep, os.sep + "dist-packages" + os.sep)
_CONFIGURATION = ("/.config/", "/.ipython/", "/.jupyter/", "/share/jupyter/", "/.matplotlib/")
_CACHE = "/.cache/"
_TOOLS = ("fontconfig", "matplotlib", "mesa_shader_cache", "numba", "pip", "uv")
"""Folders below ``.cache`` in which nothing is data."""
_NAMES = ("fontlist-", "joblib_memmapping_folder_")
"""Beginnings of names of files and folders that libraries keep in temporary folders."""
_DATA = (
    *(".arff", ".csv", ".geojson", ".jsonl", ".mat", ".parquet", ".tsv", ".txt", ".xls", ".xlsx"),
    *(".arrow", ".feather", ".fits", ".h5", ".hdf5", ".nc", ".npy", ".npz", ".zarr"),
    *(".bin", ".ckpt", ".gguf", ".joblib", ".onnx", ".pickle", ".pkl", ".pt", ".safetensors"),
    *(".db", ".sqlite", ".bz2", ".gz", ".tar", ".xz", ".zip", ".zst"),
    *(".jpeg", ".jpg", ".png", ".tif", ".tiff", ".wav"),
)
"""Suffixes of data, which caches of libraries keep too: downloaded tables and models."""
_READERS_OF_CODE = tuple(
    _STANDARD + name
    for name in ("compileall.py", "importlib", "inspect.py", "linecache.py", "py_compile.py", "runpy.py", "tokenize.py")
)
_FROZEN = ("<frozen importlib", "<frozen runpy>", "<frozen zipimport>")
"""The same, as parts of the interpreter."""
_CAPTURE = os.path.dirname(os.path.dirname(os.path.abspath(__file__))) + os.sep
"""The code of capture, whose frames are none of the program's."""


_NOISE, _OF_OTHERS, _CANDIDATE = range(3)
"""What a path alone tells: that it is no data, that it is none unless the program itself opens it, or nothing."""


def uninteresting(path: str, more: tuple[str, ...] = ()) -> bool:
    """Whether a file is part of a program and not its data.

    Args:
        path: absolute.
        more: prefixes of further paths to ignore.
    """
    kind = _known.get(path)
    if kind is None:
        if len(_known) >= _KEPT:
            _known.clear()
        kind = _known[path] = _kind(path)
    if kind == _NOISE or path.startswith(more) or (kind == _OF_OTHERS and not _by_user()):
        return True
    return _packaged(_importing())


_known: dict[str, int] = {}
_KEPT = 4096
"""Paths whose kind is kept."""


def _kind(path: str) -> int:
    if path.endswith(_COMPILED_CODE) or _COMPILED in path:
        return _NOISE
    packaged = _packaged(path)
    if not packaged and path.startswith(_SYSTEM) and not path.startswith(_MEMORY):
        return _NOISE
    if (packaged or path.startswith(_SHARE)) and _resource(path):
        return _NOISE
    return _OF_OTHERS if path.endswith(".py") or _cached(path) else _CANDIDATE


def part_of_a_program(path: str) -> bool:
    """Whether a file is code or a resource, as far as its path tells."""
    return path.endswith(".py") or _kind(path) == _NOISE


def of_standard_library(path: str) -> bool:
    """Whether a file belongs to Python itself."""
    return path.startswith(_STANDARD) and not _packaged(path)


def _packaged(path: str) -> bool:
    return any(part in path for part in _PACKAGES)


def _resource(path: str) -> bool:
    """Whether a file of a package, or one that is shared by programs, is a resource."""
    *folders, name = path.split(os.sep)
    if name.lower().endswith(_RESOURCES) or (name.endswith("rc") and "." not in name[1:]):
        return True
    if any(folder.endswith(_INSTALLED) for folder in folders):
        return True
    return path.startswith(_SHARE) and any(part in path for part in _SHARED)


def _cached(path: str) -> bool:
    """Whether a file is configuration or a cache of a library."""
    if any(part in path for part in _CONFIGURATION):
        return True
    if _CACHE in path:
        tool = path.partition(_CACHE)[2].split(os.sep)[0]
        return tool in _TOOLS or not path.lower().endswith(_DATA)
    return any(part.startswith(_NAMES) for part in path.split(os.sep)[-3:]) or path.endswith(".matplotlib-lock")


def _by_user() -> bool:
    """Whether code outside of packages and of the import system opens a file."""
    frame = sys._getframe(1)
    while frame is not None:
        file = frame.f_code.co_filename
        if file.startswith(_READERS_OF_CODE + _FROZEN):
            return False
        if not file.startswith((_CAPTURE, "<frozen ")) and not of_standard_library(file):
            return not _packaged(file)
        frame = frame.f_back  # type: ignore[assignment]
    return False


def _importing() -> str:
    """The file of the innermost module that this thread is importing; empty without one."""
    frame = sys._getframe()
    while frame.f_back is not None:
        importer = frame.f_back
        if frame.f_code.co_name == "<module>" and importer.f_code.co_filename == "<frozen importlib._bootstrap>":
            return frame.f_code.co_filename
        frame = importer
    return ""
