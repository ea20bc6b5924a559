"""The files of a config folder, read so that whatever is wrong is reported with the file's name and line."""

import os
import sys
from collections.abc import Iterator
from contextlib import suppress
from itertools import islice
from pathlib import Path
from typing import Any

from segmenter.errors import ConfigError
from segmenter.home import HOME
from segmenter.messages import Message
from segmenter.sources.encodings import encoding_by_mark

_MAX_BYTES, _MAX_VALUES, _MAX_LEVELS, _MAX_PROBLEMS = 10_000_000, 50_000, 50, 20
_TAGS = {f"tag:yaml.org,2002:{name}" for name in ("map", "seq", "str", "int", "float", "bool", "null", "merge")}
# Where each interpolation stands: whether it can be resolved is known only when the whole config is put together.
_interpolations: dict[str, str] = {}
loaded: list[str] = []  # the files read, in that order


def watch_files() -> None:
    """Let Hydra read the files of all config folders by `load`."""
    from hydra._internal.config_loader_impl import ConfigLoaderImpl
    from hydra._internal.hydra import Hydra
    from hydra._internal.sources_registry import SourcesRegistry
    from hydra.core.plugins import Plugins
    from hydra.plugins.config_source import ConfigLoadError, ConfigResult

    def load_config(self: Any, config_path: str) -> Any:
        path = os.path.realpath(os.path.join(self.path, self._normalize_file_name(config_path)))
        if not os.path.exists(path):
            raise ConfigLoadError(f"Config not found : {path}")
        config, header = load(path)
        return ConfigResult(config=config, path=f"file://{self.path}", provider=self.provider, header=header)

    if not any("hydra" in argument or argument.startswith(("-c", "--config")) for argument in sys.argv[1:]):
        # It composes the whole config once more, to see whether that sets `hydra.mode`: our files do not.
        Hydra.get_mode = lambda self, config_name, overrides: None  # type: ignore[method-assign]
    asked = ConfigLoaderImpl.get_group_options

    def get_group_options(self: Any, group_name: str, *args: Any, **more: Any) -> Any:
        # Hydra copies all it has read for each folder that its help asks about.
        return (
            asked(self, group_name, *args, **more) if "overrides" in more else self.repository.get_group_options(group_name, *args, **more)
        )

    ConfigLoaderImpl.get_group_options = get_group_options  # type: ignore[method-assign]
    Plugins.instance()  # they register the sources
    SourcesRegistry.instance().resolve("file").load_config = load_config  # type: ignore[method-assign]


def load(path: str) -> tuple[Any, dict[str, str | None]]:
    """Read one file: its config, and what Hydra reads in its head (``package``)."""
    import yaml
    from hydra.plugins.config_source import ConfigSource
    from omegaconf import OmegaConf
    from omegaconf._utils import get_yaml_loader
    from omegaconf.errors import OmegaConfBaseException

    try:
        loaded.append(path)
        text = _text(path)
        loader = get_yaml_loader()(text)
        node = _own_node(path, text) or loader.get_single_node()
        node = None if node is not None and node.tag == "tag:yaml.org,2002:null" else node
        if wrong := [*islice(_wrong(node, path), _MAX_PROBLEMS)]:
            raise ConfigError(*wrong)
        config = OmegaConf.create({} if node is None else loader.construct_document(node))
        return config, ConfigSource._get_header_dict(text[:512])
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        said = error.problem or error.context or ""
        way_out = ""
        if "'\\t'" in said:
            way_out = Message("config.tab", "; indent with blanks, not with a tab")
        elif "mapping values" in said:
            way_out = Message("config.colon", "; put quotes around a text with a colon in it")
        facts = {"place": _place(path, mark.line if mark else None), "reason": said, "way_out": way_out}
        raise ConfigError(Message("config.no_yaml", "{place}: is no YAML: {reason}{way_out}", **facts)) from None
    except yaml.reader.ReaderError as error:
        sentence = "{place}: holds a character that YAML does not take (U+{code:04X}); take it out"
        place = _place(path, text.count("\n", 0, error.position))
        raise ConfigError(Message("config.character", sentence, place=place, code=error.character)) from None
    except RecursionError:
        raise ConfigError(_too_deep(path)) from None
    except OSError as error:
        facts = {"path": path, "reason": error.strerror or str(error)}
        raise ConfigError(Message("config.unreadable", "{path}: cannot be read ({reason})", **facts)) from None
    except (OmegaConfBaseException, ValueError, TypeError) as error:
        raise ConfigError(f"{path}: {str(error).splitlines()[0]}") from None


def _own_node(path: str, text: str) -> Any:
    """Parse a file of ours the quick way; None where it is another's, or wrong, which the other parser says better."""
    import yaml

    from segmenter.yaml_loader import quick_loader

    with suppress(yaml.YAMLError):
        return yaml.compose(text, Loader=quick_loader()) if Path(path).is_relative_to(HOME / "conf") else None
    return None


def place_of(text: object) -> str:
    """Say where an interpolation stands, as the end of a message."""
    place = _interpolations.get(str(text))
    return Message("config.in_brackets", " ({place})", place=place) if place else ""


def _text(path: str) -> str:
    """Decode a file: UTF-8, or whatever its byte order mark says."""
    if (size := os.path.getsize(path)) > _MAX_BYTES:
        sentence = "{path}: should have at most {most:,} bytes (has {size:,}); is it a config?"
        raise ConfigError(Message("config.too_large", sentence, path=path, most=_MAX_BYTES, size=size))
    data, encoding = Path(path).read_bytes(), encoding_by_mark(Path(path)) or "utf-8"
    try:
        return data.decode(encoding).removeprefix("\ufeff").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) if encoding == "utf-8" else None
        sentence = "{place}: is not UTF-8 (another encoding, or no text at all); save it as UTF-8"
        raise ConfigError(Message("config.no_utf8", sentence, place=_place(path, line))) from None


def _place(path: str, line: int | None) -> str:
    return path if line is None else Message("config.line", "{path}, line {line}", path=path, line=line + 1)


def _too_deep(place: str) -> Message:
    return Message("config.too_deep", "{place}: is nested too deep; at most {most} levels", place=place, most=_MAX_LEVELS)


def _wrong(root: Any, path: str) -> Iterator[str]:
    """Look for what YAML takes and no config means."""
    import yaml

    if root is None:
        return
    if not isinstance(root, yaml.MappingNode):
        sentence = "{place}: should hold keys, as `launch: …`, and not {kind}"
        a_list = Message("config.a_list", "a list")
        kind = a_list if isinstance(root.value, list) else Message("config.only", "only {text!r}", text=root.value[:40])
        yield Message("config.no_keys", sentence, place=_place(path, root.start_mark.line), kind=kind)
        return
    seen = 0
    waiting = [(root, frozenset[int](), "")]
    while waiting:
        node, above, key = waiting.pop()
        here, seen = _place(path, node.start_mark.line), seen + 1
        if id(node) in above:
            sentence = "{place}: {key}: an alias (*) stands for something that it is a part of; write it out"
            yield Message("config.alias_circle", sentence, place=here, key=key)
        elif node.tag not in _TAGS and not (key == "" and node is root):
            sentence = "{place}: {key}: {tag} is no tag here; leave it out, or put quotes around the text"
            yield Message("config.tag", sentence, place=here, key=key, tag=node.tag.replace("tag:yaml.org,2002:", "!!"))
        elif len(above) > _MAX_LEVELS:
            yield _too_deep(here)
        elif seen > _MAX_VALUES:
            sentence = "{place}: should hold at most {most:,} values, those of aliases (*) counted each time"
            yield Message("config.too_many_values", sentence, place=here, most=_MAX_VALUES)
            return
        elif isinstance(node, yaml.ScalarNode):
            yield from _wrong_text(node, here, key)
        elif isinstance(node, yaml.SequenceNode):
            waiting += [(item, above | {id(node)}, f"{key}[{number}]") for number, item in enumerate(node.value)]
        else:
            yield from _wrong_keys(node, path, key)
            waiting += [(value, above | {id(node)}, f"{key}.{name.value}".lstrip(".")) for name, value in node.value]
    yield from _wrong_defaults(root, path)


def _wrong_keys(node: Any, path: str, key: str) -> Iterator[str]:
    first: dict[str, int] = {}
    for name, _ in node.value:
        line = name.start_mark.line
        if not isinstance(name.value, str) or name.tag not in _TAGS - {"tag:yaml.org,2002:null"}:
            yield Message("config.key_no_word", "{place}: a key should be a word or a number", place=_place(path, line))
            return
        full = f"{key}.{name.value}".lstrip(".")
        if name.value in first:
            sentence = "{place}: {key}: is given twice, first in line {line}; take one out"
            yield Message("config.twice", sentence, place=_place(path, line), key=full, line=first[name.value] + 1)
        if name.value == "_target_":
            sentence = "{place}: {key}: is no key: no code is called from here"
            yield Message("config.target", sentence, place=_place(path, line), key=full)
        first[name.value] = line


def _wrong_text(node: Any, here: str, key: str) -> Iterator[str]:
    from omegaconf import OmegaConf
    from omegaconf.errors import OmegaConfBaseException

    if node.tag.endswith(":int") and len(node.value) > 100:
        yield Message("config.long_number", "{place}: {key}: is too long a number", place=here, key=key)
    if "${" in node.value:
        _interpolations[node.value] = here
        try:
            OmegaConf.create({"text": node.value})
        except (OmegaConfBaseException, RecursionError):
            sentence = "{place}: {key}: should be an interpolation as ${{launch.name}} (got {text}); else write \\${{"
            yield Message("config.interpolation", sentence, place=here, key=key, text=node.value[:80])


def _wrong_defaults(root: Any, path: str) -> Iterator[str]:
    """Check the list of other files, whose form Hydra takes for granted."""
    import yaml

    node = next((value for name, value in root.value if name.value == "defaults"), None)
    if node is None:
        return
    if not isinstance(node, yaml.SequenceNode):
        yield _no_list_of_files(_place(path, node.start_mark.line))
        return
    for item in node.value:
        named = item.value if isinstance(item, yaml.MappingNode) else [(item, item)]
        chosen = [file for _, value in named for file in (value.value if isinstance(value, yaml.SequenceNode) else [value])]
        if len(named) != 1 or not all(_is_word(name) for name, _ in named) or not all(_is_word(file, nothing=True) for file in chosen):
            yield _no_list_of_files(_place(path, item.start_mark.line))
        elif any(file.value == os.path.basename(path).removesuffix(".yaml") for file in chosen if item.tag.endswith(":str")):
            sentence = "{place}: defaults: names this file itself; take it out, or write _self_"
            yield Message("config.names_itself", sentence, place=_place(path, item.start_mark.line))


def _no_list_of_files(place: str) -> Message:
    sentence = "{place}: defaults: should be a list of files, as `- experiment/mine` or `- data: files`"
    return Message("config.no_list_of_files", sentence, place=place)


def _is_word(node: Any, *, nothing: bool = False) -> bool:
    return isinstance(node.value, str) and (node.tag.endswith(":str") or (nothing and node.tag.endswith(":null")))
