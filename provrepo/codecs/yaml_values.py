"""YAML of other tools: values as JSON has them, with the place of what is refused.

Aliases are refused: a text of a kilobyte can stand for gigabytes. Dates stay texts, as they are written.
"""

from __future__ import annotations

from typing import Any

import yaml

from provrepo.codecs.guards import MAX_DEPTH
from provrepo.errors import ReadError

__all__ = ["parse_yaml"]


class _Loader(yaml.SafeLoader):  # type: ignore[misc]
    """Reads plain values; each collection knows how deep it is."""

    def __init__(self, stream: str) -> None:
        super().__init__(stream)
        self._depth = 0

    def compose_node(self, parent: Any, index: Any) -> Any:
        if self.check_event(yaml.AliasEvent):
            raise yaml.composer.ComposerError(None, None, "an alias is not read", self.peek_event().start_mark)
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise yaml.composer.ComposerError(None, None, "nested too deeply", self.peek_event().start_mark)
        node = super().compose_node(parent, index)
        self._depth -= 1
        return node

    def construct_mapping(self, node: Any, deep: bool = False) -> dict[Any, Any]:  # noqa: ARG002
        found: dict[Any, Any] = {}
        for key_node, value_node in node.value:
            key = self.construct_object(key_node, deep=True)
            name = key if isinstance(key, str) else str(key_node.value)
            if name in found:
                raise yaml.constructor.ConstructorError(None, None, "a key occurs twice", key_node.start_mark)
            found[name] = self.construct_object(value_node, deep=True)
        return found


def _mapping(loader: _Loader, node: Any) -> Any:
    return loader.construct_mapping(node, deep=True)


_Loader.add_constructor("tag:yaml.org,2002:map", _mapping)
for _tag in ("timestamp", "binary", "set", "omap", "pairs", "merge"):
    _Loader.add_constructor(f"tag:yaml.org,2002:{_tag}", lambda loader, node: loader.construct_yaml_str(node))


def parse_yaml(data: bytes, format: str) -> Any:  # noqa: A002
    """The value of a YAML document.

    Args:
        data: UTF-8.
        format: the name of the format, for errors.

    Raises:
        ReadError: not UTF-8, not YAML, several documents, an alias, or a key that occurs twice, with line and column.
    """
    try:
        loader = _Loader(data.decode("utf-8"))
        try:
            return loader.get_single_data()
        finally:
            loader.dispose()
    except UnicodeDecodeError as error:
        raise ReadError(f"not UTF-8, at byte {error.start}", format=format) from error
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        line, column = (None, None) if mark is None else (mark.line + 1, mark.column + 1)
        raise ReadError(f"not YAML: {error.problem}", line=line, column=column, format=format) from error
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise ReadError(f"not YAML: {str(error)[:200]}", format=format) from error
