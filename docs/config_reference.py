"""A page for each part of the config: what a key means by the comment beside it in ``conf/``, its kind, range and unit by the models.

An MkDocs hook, and what a test asks whether every key has a meaning; a key without one is a warning, which a strict build refuses.
"""

import logging
import re
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[1]
CONF = ROOT / "conf"
# Pages: their titles, and the files whose keys they list; of a folder that is not told file by file, the other files are shown whole.
PAGES = {
    "launch": ("The launch, its ledger and what it leaves", ["base", "launch"]),
    "data": ("Data: tables, columns, files and databases", ["data/_tables", "data/files", "data/database", "data/demo", "source/"]),
    "rules": ("Rules: who may be invited", ["rules/default"]),
    "scoring": ("Scoring: how customers are ranked", ["scoring/_components", "scoring/_learning", "scoring/"]),
    "segments": ("Segments, topics, roles, personas", ["segments/kmeans", "segments/", "topics/", "roles/", "personas/"]),
    "plan": ("The plan: groups, waves, calls, control group", ["plan/_common", "plan/simple", "plan/allocated", "spread/", "platform/"]),
    "machine": ("The machine: engine and tracking", ["engine/", "tracking/"]),
    "jobs": (
        "The other jobs",
        [
            *("backtest", "tune", "review", "today", "simulate", "check", "explain", "compare"),
            *("commit", "cancel", "ledger", "init", "demo"),
        ],
    ),
    "experiments": ("Whole launches", ["experiment/"]),
}
SHOWN = ("source", "personas", "experiment", "roles", "platform")  # folders of presets: their files are shown as they stand
MOUNTED = {"rankings": "scoring", "fission.network": "spread"}  # groups that stand a second time elsewhere
UNITS = {"days", "hours", "weeks"}  # ends of names


@dataclass(frozen=True)
class Key:
    """A key of a config file."""

    path: str
    default: str
    above: str  # the lines of comment over it: of it alone, or of it and those that follow
    beside: str
    group: bool = False
    parent: str = ""  # what stands beside or over the mapping on one line that it is in


def models() -> dict[str, Any]:
    """Give the JSON schema of each job's config."""
    from segmenter import settings

    names = [each.stem for each in CONF.glob("*.yaml") if each.stem not in ("base", "cancel")]
    schemas = {name: getattr(settings, f"{name.title()}Job").model_json_schema() for name in names}
    return schemas | {"base": schemas["launch"], "cancel": schemas["commit"]}


def sides(schema: Mapping[str, Any], root: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """Give what a value may be, one after the other, with no reference left."""
    if "$ref" in schema:
        inner = root["$defs"][schema["$ref"].rpartition("/")[2]]
        yield from sides(inner | {name: value for name, value in schema.items() if name != "$ref"}, root)
    elif choices := schema.get("anyOf") or schema.get("oneOf"):
        for choice in choices:
            yield from sides(choice, root)
    else:
        yield schema


def find(path: str, root: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Give what the value of a key may be; nothing where there is no such key."""
    found: list[Mapping[str, Any]] = [root]
    for part in path.split(".") if path else []:
        inner = [side.get("properties", {}).get(part) or side.get("additionalProperties") or None for side in found]
        found = [side for schema in inner if isinstance(schema, dict) for side in sides(schema, root)]
    return found


def bounds(schema: Mapping[str, Any]) -> str:
    """Say between what a number lies, or how long a list or a text may be."""
    low, above, high, below = (schema.get(name) for name in ("minimum", "exclusiveMinimum", "maximum", "exclusiveMaximum"))
    parts = [
        f"{sign} {int(value) if value == int(value) else value:,}"
        for sign, value in (("≥", low), (">", above), ("≤", high), ("<", below))
        if value is not None
    ]
    things = "characters" if schema.get("type") == "string" else "entries"
    parts += [f"at most {schema[name]} {things}" for name in ("maxLength", "maxItems", "maxProperties") if name in schema]
    return f" ({', '.join(parts)})" if parts else ""


def kind(schema: Mapping[str, Any], root: Mapping[str, Any]) -> str:
    """Say in words what a value may be."""
    told = list(dict.fromkeys(_kind(side, root) for side in sides(schema, root)))
    return " or ".join([each for each in told if each != "null"] + ["`null`" for each in told if each == "null"])


def _kind(side: Mapping[str, Any], root: Mapping[str, Any]) -> str:
    match side:
        case {"enum": choices}:
            return ", ".join(f"`{choice}`" for choice in choices)
        case {"const": value}:
            return f"`{value}`"
        case {"type": "array"}:
            items = side.get("items") or {}
            return f"a list{bounds(side)} of {kind(items, root)}"
        case {"type": "object", "properties": properties}:
            return f"a mapping of {', '.join(f'`{name}`' for name in properties)}"
        case {"type": "object"}:
            inner = side.get("additionalProperties") or {}
            return f"a mapping{bounds(side)} of names to {kind(inner, root)}" if isinstance(inner, dict) else "a mapping"
        case {"format": "date"}:
            return "a day, YYYY-MM-DD (from 1980 to 2200)"
        case {"format": "path"}:
            return "a path"
        case {"type": name}:
            word = {"integer": "a whole number", "number": "a number", "boolean": "`true` or `false`", "string": "text", "null": "null"}[
                name
            ]
            return word + bounds(side) + (f", {side['unit']}" if "unit" in side else "")
    return "anything"


def lines_of(text: str) -> dict[int, tuple[int, str, bool]]:
    """Give the comment of each line: its column, its words, and whether it has the line to itself."""
    ends: dict[int, int] = {}
    inside: set[int] = set()
    for token in yaml.scan(text):
        if isinstance(token, yaml.ScalarToken) and token.style in ("|", ">"):
            inside |= set(range(token.start_mark.line + 1, token.end_mark.line))
        elif token.start_mark.index < token.end_mark.index and token.start_mark.line == token.end_mark.line:
            ends[token.end_mark.line] = max(ends.get(token.end_mark.line, 0), token.end_mark.column)
    found = {}
    for number, line in enumerate(text.splitlines()):
        rest = line[ends.get(number, 0) :]
        if number not in inside and (comment := re.match(r"\s*#\s?(.*)", rest)):
            found[number] = (line.index("#", ends.get(number, 0)), comment[1].strip(), number not in ends)
    return found


def keys_of(file: str, root: Mapping[str, Any], prefix: str) -> tuple[str, list[Key]]:
    """Give a file's words about itself, and its keys."""
    text = (CONF / f"{file}.yaml").read_text(encoding="utf-8")
    comments = lines_of(text)
    head, at = [], 0
    while at in comments and comments[at][2]:
        head.append(comments[at][1])
        at += 1
    if head[:1] == ["@package _global_"]:
        head, prefix = head[1:], ""
    node = yaml.compose(text)
    taken = set(range(at))
    keys = [] if node is None else [pair for pair in node.value if pair[0].value not in ("defaults", "hydra")]
    return _sentence(head), list(_walk(keys, prefix, comments, taken, root))


def _walk(
    pairs: Any, prefix: str, comments: Mapping[int, tuple[int, str, bool]], taken: set[int], root: Mapping[str, Any]
) -> Iterator[Key]:
    for name, value in pairs:
        path, line, column = f"{prefix}.{name.value}".lstrip("."), name.start_mark.line, name.start_mark.column
        above, beside, number = [], [], line - 1
        while number in comments and comments[number][2] and comments[number][0] == column and number not in taken:
            above.insert(0, comments[number][1])
            taken.add(number)
            number -= 1
        if line in comments and line not in taken:
            begin, words, _ = comments[line]
            beside, number = [words], line + 1
            taken.add(line)
            while number in comments and comments[number][2] and comments[number][0] == begin:
                beside.append(comments[number][1])
                taken.add(number)
                number += 1
        fixed = any("properties" in side for side in find(path, root))
        nested = isinstance(value, yaml.MappingNode) and fixed
        source = "" if nested else _one_line(value)
        yield Key(path, source, _sentence(above), _sentence(beside), nested)
        if nested:
            inner = _walk(value.value, path, comments, taken, root)
            yield from (replace(each, parent=_sentence(beside or above)) for each in inner) if value.flow_style else inner


def _one_line(node: Any) -> str:
    """Write a value as it would stand on one line."""
    for inner in [node, *(part for pair in node.value for part in pair)] if isinstance(node, yaml.MappingNode) else [node]:
        if not isinstance(inner, yaml.ScalarNode):
            inner.flow_style = True
    return str(yaml.serialize(node, width=10_000, allow_unicode=True)).removesuffix("...\n").strip()


def _sentence(lines: list[str]) -> str:
    return " ".join(lines).strip()


def unit(path: str) -> str:
    """Give the unit that a key's name says, where its type does not."""
    word = re.split(r"[_.]", path)[-1]
    return f", in {word}" if word in UNITS else ""


class Reference:
    """All pages of the config, and what is missing in them."""

    def __init__(self) -> None:
        """Read conf/ and the models."""
        self.roots = models()
        self.meanings: dict[str, str] = {}
        self.problems: list[str] = []
        self.pages = {name: self.page(title, files) for name, (title, files) in PAGES.items()}
        self.problems += [f"{path}: stands in the models and on no page" for path in self.untold()]
        told = {file for _, files in PAGES.values() for each in files for file in _files(each)}
        every = {str(path.relative_to(CONF).with_suffix("")) for path in CONF.rglob("*.yaml")}
        presets = {file for file in every if file.startswith("data/")}  # the real shops of the examples
        self.problems += [f"conf/{file}.yaml: stands on no page" for file in sorted(every - told - presets)]

    def page(self, title: str, files: list[str]) -> str:
        """Write a page."""
        parts = [f"# {title}"]
        for file in dict.fromkeys(each for name in files for each in _files(name)):
            group, _, _ = file.rpartition("/")
            root = self.roots.get(file, self.roots["launch"])
            words, keys = keys_of(file, root, group)
            parts += [f"## `conf/{file}.yaml`", _text(words)]
            if group in SHOWN:
                source = (CONF / f"{file}.yaml").read_text(encoding="utf-8")
                parts.append("```yaml\n" + source.rstrip() + "\n```")
                self.meanings |= {key.path: key.beside or key.above for key in keys if key.path not in self.meanings}
            else:
                parts += self.entries(keys, root)
        return "\n\n".join(part for part in parts if part) + "\n"

    def entries(self, keys: list[Key], root: Mapping[str, Any]) -> Iterator[str]:
        """Write the keys of a file."""
        for key in keys:
            known = key.path in self.meanings
            if key.path.endswith("kind") or (known and not key.beside and not key.above):
                continue
            meaning = key.beside or key.above or self.inherited(key.path) or key.parent
            if key.above and (key.beside or key.group):
                yield _text(key.above)
            if key.group:
                if key.beside:
                    yield f"**`{key.path}`**: {_text(key.beside)}"
                continue
            found = find(key.path, root)
            if not found:
                self.problems.append(f"{key.path}: stands in conf/ and in no model")
            if not meaning:
                self.problems.append(f"{key.path}: has no comment in conf/")
            self.meanings[key.path] = meaning
            told = kind({"anyOf": found}, root) + unit(key.path)
            yield f"`{key.path}`{{ #{key.path} }} = `{key.default}`\n:   {_text(meaning)}<br><small>{told}</small>"
            yield from self.items(key.path, found, root)

    def items(self, path: str, found: list[Mapping[str, Any]], root: Mapping[str, Any]) -> Iterator[str]:
        """Write the keys of each mapping in a list, or of one that is null as a rule; their meaning stands in the models."""
        inner = [item for side in found for item in (side, side.get("items"), side.get("additionalProperties")) if isinstance(item, dict)]
        sided = {each["title"]: each for item in inner for each in sides(item, root) if "properties" in each}
        for title, each in sided.items():
            for name, schema in each["properties"].items():
                meaning = schema.get("description") or ""
                if not meaning:
                    self.problems.append(f"{path}, {title}.{name}: has no description in the models")
                yield f"`{path}`: `{name}`\n:   {_text(meaning)}<br><small>{kind(schema, root)}</small>"

    def inherited(self, path: str) -> str:
        """Give the meaning of a key of that name in another table."""
        name = path.rpartition(".")[2]
        table = path.split(".")[1] if path.count(".") > 1 else ""
        near = [f"data.{table}.columns.{name}", f"data.{table}.{name}", path]
        heads = ("data", path.partition(".")[0])
        same = [*near, *(each for each in self.meanings if each.startswith(heads) and each.endswith(f".{name}"))]
        return next((self.meanings[each] for each in same if self.meanings.get(each)), "")

    def untold(self) -> Iterator[str]:
        """Give the keys of the models that stand on no page."""
        told = set(self.meanings) | {"data.kind"}
        for path in sorted({path for root in self.roots.values() for path in _leaves(root, root, "")}):
            key = path
            for place, group in MOUNTED.items():
                key = re.sub(rf"^{re.escape(place)}(?=\.|$)", group, key)
            above = [key.rsplit(".", cut)[0] for cut in range(key.count(".") + 1)]
            if key != "scoring" and not key.endswith("kind") and not told & set(above):
                yield key


def _leaves(schema: Mapping[str, Any], root: Mapping[str, Any], path: str) -> Iterator[str]:
    fields = [(name, inner) for side in sides(schema, root) for name, inner in side.get("properties", {}).items()]
    for name, inner in fields:
        yield from _leaves(inner, root, f"{path}.{name}".lstrip("."))
    if not fields:
        yield path


def _files(name: str) -> list[str]:
    if not name.endswith("/"):
        return [name]
    files = sorted(path.stem for path in (CONF / name).glob("*.yaml") if not path.stem.startswith("_"))
    return [f"{name}{file}" for file in files]


def _text(words: str) -> str:
    """Keep what Markdown would take for its own, and begin with a capital, but where the first word is a value."""
    first = words[:1] if re.match(r"\S+( \||:)", words) else words[:1].upper()
    parts = (first + words[1:]).rstrip(";").split("`")
    return "`".join(part if at % 2 else re.sub(r"([*_<>|\[\]{}])", r"\\\1", part) for at, part in enumerate(parts))


INDEX = """# Every key of the config

All defaults stand in `conf/`, and nowhere else. A key is changed on the command line (`segmenter launch rules.spend.min=1000`) or in a
file of your own ([your own folder](../guide/own_conf.md)). These pages are made of the comments in `conf/` and of the models that check
the config: of each key its default, what it means, and what it may be. Whatever does not fit is refused before anything is read,
all of it at once.

"""


def on_files(files: Any, config: Any) -> Any:
    """Add the pages."""
    from mkdocs.structure.files import File

    reference = Reference()
    for problem in reference.problems:
        logging.getLogger("mkdocs.hooks.config_reference").warning(problem)
    listed = "".join(f"- [{title}]({name}.md)\n" for name, (title, _) in PAGES.items())
    for name, text in {"index": INDEX + listed, **reference.pages}.items():
        files.append(File.generated(config, f"config/{name}.md", content=text))
    return files


if __name__ == "__main__":
    sys.path.insert(0, str(ROOT / "src"))
    reference = Reference()
    print("\n".join(reference.problems))
