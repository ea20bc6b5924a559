"""The files of a config folder, read so that whatever is wrong in one is told by its name and line."""

import codecs
import os
from collections.abc import Iterator
from itertools import islice
from typing import Any

from segmenter.errors import ConfigError

_MOST_BYTES, _MOST_VALUES, _MOST_LEVELS, _MOST_PROBLEMS = 10_000_000, 50_000, 50, 20
_MARKS = {  # the longer ones first: UTF-32 begins as UTF-16 does
    codecs.BOM_UTF32_LE: "utf-32",
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF8: "utf-8-sig",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}
_TAGS = {f"tag:yaml.org,2002:{name}" for name in ("map", "seq", "str", "int", "float", "bool", "null", "merge")}
# Where each interpolation stands: whether it can be resolved is known only when the whole config is put together.
_interpolations: dict[str, str] = {}
loaded: list[str] = []  # the files read, in that order


def watch_files() -> None:
    """Let Hydra read the files of all config folders by `load`."""
    from hydra._internal.sources_registry import SourcesRegistry
    from hydra.core.plugins import Plugins
    from hydra.plugins.config_source import ConfigLoadError, ConfigResult

    def load_config(self: Any, config_path: str) -> Any:
        path = os.path.realpath(os.path.join(self.path, self._normalize_file_name(config_path)))
        if not os.path.exists(path):
            raise ConfigLoadError(f"Config not found : {path}")
        config, header = load(path)
        return ConfigResult(config=config, path=f"file://{self.path}", provider=self.provider, header=header)

    Plugins.instance()  # they register the sources
    SourcesRegistry.instance().resolve("file").load_config = load_config  # type: ignore[method-assign]


def load(path: str) -> tuple[Any, dict[str, str | None]]:
    """Read one file.

    Parameters
    ----------
    path : str
        The file.

    Returns
    -------
    tuple of DictConfig, dict
        The config, and what Hydra reads in its head: ``package``.

    Raises
    ------
    ConfigError
        The file and its line, the rule and the way out.
    """
    import yaml
    from hydra.plugins.config_source import ConfigSource
    from omegaconf import OmegaConf
    from omegaconf._utils import get_yaml_loader
    from omegaconf.errors import OmegaConfBaseException

    try:
        loaded.append(path)
        text = _text(path)
        loader = get_yaml_loader()(text)
        node = loader.get_single_node()
        node = None if node is not None and node.tag == "tag:yaml.org,2002:null" else node
        if wrong := [*islice(_wrong(node, path), _MOST_PROBLEMS)]:
            raise ConfigError(*wrong)
        config = OmegaConf.create({} if node is None else loader.construct_document(node))
        return config, ConfigSource._get_header_dict(text[:512])
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        said = error.problem or error.context or ""
        way_out = "; put quotes around a text with a colon in it" if "mapping values" in said else ""
        way_out = "; indent with blanks, not with a tab" if "'\\t'" in said else way_out
        raise ConfigError(f"{_place(path, mark.line if mark else None)}: is no YAML: {said}{way_out}") from None
    except yaml.reader.ReaderError as error:
        rule = f"holds a character that YAML does not take (U+{error.character:04X})"
        raise ConfigError(f"{_place(path, text.count(chr(10), 0, error.position))}: {rule}; take it out") from None
    except RecursionError:
        raise ConfigError(f"{path}: is nested too deep; at most {_MOST_LEVELS} levels") from None
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read ({error.strerror or error})") from None
    except (OmegaConfBaseException, ValueError, TypeError) as error:
        raise ConfigError(f"{path}: {str(error).splitlines()[0]}") from None


def place_of(text: object) -> str:
    """Say where an interpolation stands, as the end of a message."""
    place = _interpolations.get(str(text))
    return f" ({place})" if place else ""


def _text(path: str) -> str:
    """Decode a file: UTF-8, or whatever its byte order mark says."""
    if (size := os.path.getsize(path)) > _MOST_BYTES:
        raise ConfigError(f"{path}: should have at most {_MOST_BYTES:,} bytes (has {size:,}); is it a config?")
    with open(path, "rb") as file:
        data = file.read()
    encoding = next((name for mark, name in _MARKS.items() if data.startswith(mark)), "utf-8")
    try:
        return data.decode(encoding).replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) if encoding.startswith("utf-8") else None
        raise ConfigError(f"{_place(path, line)}: is not UTF-8 (another encoding, or no text at all); save it as UTF-8") from None


def _place(path: str, line: int | None) -> str:
    return path if line is None else f"{path}, line {line + 1}"


def _wrong(root: Any, path: str) -> Iterator[str]:
    """Look for what YAML takes and no config means."""
    import yaml

    if root is None:
        return
    if not isinstance(root, yaml.MappingNode):
        yield f"{_place(path, root.start_mark.line)}: should hold keys, as `launch: …`, and not {_kind(root)}"
        return
    seen = 0
    waiting = [(root, frozenset[int](), "")]
    while waiting:
        node, above, key = waiting.pop()
        here, seen = _place(path, node.start_mark.line), seen + 1
        if id(node) in above:
            yield f"{here}: {key}: an alias (*) stands for something that it is a part of; write it out"
        elif node.tag not in _TAGS and not (key == "" and node is root):
            yield f"{here}: {key}: {_tag(node)} is no tag here; leave it out, or put quotes around the text"
        elif len(above) > _MOST_LEVELS:
            yield f"{here}: is nested too deep; at most {_MOST_LEVELS} levels"
        elif seen > _MOST_VALUES:
            yield f"{here}: should hold at most {_MOST_VALUES:,} values, those of aliases (*) counted each time"
            return
        elif isinstance(node, yaml.ScalarNode):
            yield from _wrong_text(node, here, key)
        elif isinstance(node, yaml.SequenceNode):
            waiting += [(item, above | {id(node)}, f"{key}[{number}]") for number, item in enumerate(node.value)]
        else:
            yield from _wrong_keys(node, path, key)
            waiting += [(value, above | {id(node)}, f"{key}.{name.value}".lstrip(".")) for name, value in node.value]
    yield from _wrong_defaults(root, path)


def _tag(node: Any) -> str:
    return str(node.tag).replace("tag:yaml.org,2002:", "!!")


def _kind(node: Any) -> str:
    return "a list" if isinstance(node.value, list) else f"only {node.value[:40]!r}"


def _wrong_keys(node: Any, path: str, key: str) -> Iterator[str]:
    first: dict[str, int] = {}
    for name, _ in node.value:
        line = name.start_mark.line
        if not isinstance(name.value, str) or name.tag not in _TAGS - {"tag:yaml.org,2002:null"}:
            yield f"{_place(path, line)}: a key should be a word or a number"
            return
        full = f"{key}.{name.value}".lstrip(".")
        if name.value in first:
            yield f"{_place(path, line)}: {full}: is given twice, first in line {first[name.value] + 1}; take one out"
        if name.value == "_target_":
            yield f"{_place(path, line)}: {full}: is no key: no code is called from here"
        first[name.value] = line


def _wrong_text(node: Any, here: str, key: str) -> Iterator[str]:
    from omegaconf import OmegaConf
    from omegaconf.errors import OmegaConfBaseException

    if node.tag.endswith(":int") and len(node.value) > 100:
        yield f"{here}: {key}: is too long a number"
    if "${" in node.value:
        _interpolations[node.value] = here
        try:
            OmegaConf.create({"text": node.value})
        except (OmegaConfBaseException, RecursionError):
            yield f"{here}: {key}: should be an interpolation as ${{launch.name}} (got {node.value[:80]}); else write \\${{"


def _wrong_defaults(root: Any, path: str) -> Iterator[str]:
    """Check the list of other files, whose form Hydra takes for granted."""
    import yaml

    node = next((value for name, value in root.value if name.value == "defaults"), None)
    if node is None:
        return
    rule = "defaults: should be a list of files, as `- experiment/mine` or `- data: files`"
    if not isinstance(node, yaml.SequenceNode):
        yield f"{_place(path, node.start_mark.line)}: {rule}"
        return
    for item in node.value:
        named = item.value if isinstance(item, yaml.MappingNode) else [(item, item)]
        chosen = [each for _, value in named for each in (value.value if isinstance(value, yaml.SequenceNode) else [value])]
        if len(named) != 1 or not all(_is_word(name) for name, _ in named) or not all(_is_word(each, nothing=True) for each in chosen):
            yield f"{_place(path, item.start_mark.line)}: {rule}"
        elif any(each.value == os.path.basename(path).removesuffix(".yaml") for each in chosen if item.tag.endswith(":str")):
            yield f"{_place(path, item.start_mark.line)}: defaults: names this file itself; take it out, or write _self_"


def _is_word(node: Any, *, nothing: bool = False) -> bool:
    return isinstance(node.value, str) and (node.tag.endswith(":str") or (nothing and node.tag.endswith(":null")))
