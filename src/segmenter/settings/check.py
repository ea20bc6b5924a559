"""The one function that checks a config: every error at once, in our words."""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from fnmatch import fnmatchcase
from types import UnionType
from typing import Annotated, Any, TypeVar, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from segmenter.errors import ConfigError, nearest
from segmenter.messages import Message
from segmenter.settings.planning import with_capacity

Job = TypeVar("Job", bound=BaseModel)

# Keys that had another name once: what the last part of each is called now.
RENAMED = {
    "backtest.most": "max_cuts",
    "plan.layers.*.least": "min",
    "plan.layers.*.most": "max",
    "plan.most_groups": "max_groups",
    "plan.roles": "tenure",
    "rules.invitations.most": "max",
    "tune.held_back": "holdout",
}


def parse(model: type[Job], config: Mapping[str, Any]) -> Job:
    """Check a config, a plain mapping or OmegaConf's, against its model; a `ConfigError` has one line for each wrong key.

    >>> from segmenter.settings import ShopSettings
    >>> parse(ShopSettings, {"customers": 10, "dais": 365})
    Traceback (most recent call last):
    segmenter.errors.ConfigError: customers: should be ≥ 100 (got 10)
    days: is needed
    dais: is no key; nearest: days
    """
    if type(config).__module__.startswith("omegaconf"):
        config = _plain(config)
    try:
        if problems := list(_unwritable(config)):
            raise ConfigError(*problems)
        config = with_capacity(config)
        # By way of JSON, where strictness lets a date and a path be text and a tuple a list.
        return model.model_validate_json(json.dumps(config, default=str))
    except ValidationError as error:
        rules: dict[tuple[str, str], list[str]] = {}  # the sides of a union in one line
        for key, rule, got in (_problem(model, detail) for detail in error.errors(include_url=False)):
            rules.setdefault((key, got if key else rule), []).append(rule)
        raise ConfigError(*(line for (key, got), broken in rules.items() for line in _lines(key, broken, got))) from None
    except (RecursionError, ValueError) as error:
        # Deeper, or with a longer number, than JSON takes.
        sentence = "config: should hold no more than numbers, words, and lists and mappings of these (got {error})"
        raise ConfigError(Message("settings.json", sentence, error=str(error))) from None


def unknown_key(key: str, names: Iterable[str], *, full: bool = False) -> str:
    """Say that there is no such key: what it is called now, or the nearest of the names, which are its siblings' or full ones."""
    parts = key.split(".")
    for pattern, name in RENAMED.items():
        for size in range(2, len(parts) + 1):  # the key, or a mapping that it is in
            if fnmatchcase(".".join(parts[:size]), pattern):
                new = ".".join((name, *parts[size:]))
                parent = ".".join(parts[: size - 1])
                return Message("settings.renamed", "{key}: is called {parent}.{name} now", key=key, parent=parent, name=new)
    return Message(
        "settings.unknown_key", "{key}: is no key{nearest}", key=key, nearest=nearest(key if full else key.rpartition(".")[2], names)
    )


def missing_value(key: str, text: str) -> str:
    """Say which key has no value, where OmegaConf says so of it or of one that it takes its value from."""
    missing = re.findall(r"Missing mandatory value: ([\w.]+)", text)
    if not missing:
        return f"{key}: {text}"
    return Message("settings.missing", "{key}: is needed", key=missing[-1] if "." in missing[-1] else key)


def _lines(key: str, rules: list[str], got: str) -> list[str]:
    if not key:
        return rules
    first, *others = dict.fromkeys(rules)
    for rule in others:
        english = f"{first} or {rule.removeprefix('should be ')}"
        first = Message("settings.either", "{english}", english=english, first=first, second=rule)
    return [Message("settings.wrong", "{key}: {rule}{got}", key=key, rule=first, got=got)]


def _unwritable(value: object, key: str = "") -> Iterator[str]:
    """Find text that no file system, database or page takes."""
    match value:
        case str() if re.search(r"[\0\ud800-\udfff]", value):
            sentence = "{key}: should be text in UTF-8, without a zero byte (got {value})"
            yield Message("settings.unwritable", sentence, key=_clean(key), value=_shown(_clean(value)))
        case Mapping():
            for name, item in value.items():
                yield from _unwritable(name if isinstance(name, str) else None, f"{key}.{_clean(str(name))}".lstrip("."))
                yield from _unwritable(item, f"{key}.{name}".lstrip("."))
        case list() | tuple():
            for index, item in enumerate(value):
                yield from _unwritable(item, f"{key}[{index}]")


def _clean(text: str) -> str:
    return text.replace("\0", "\\0").encode(errors="backslashreplace").decode()


def _plain(config: Mapping[str, Any]) -> dict[str, Any]:
    from omegaconf import OmegaConf
    from omegaconf.errors import OmegaConfBaseException

    try:
        plain = OmegaConf.to_container(config, resolve=True, throw_on_missing=True)
    except OmegaConfBaseException as error:
        raise ConfigError(missing_value(error.full_key or "config", str(error.msg or error).splitlines()[0])) from None
    if not isinstance(plain, dict):
        return {}
    data = plain.get("data")
    if isinstance(data, dict) and data.get("dir", "") is None and "${data.dir}" in str(OmegaConf.to_container(config)):
        sentence = "data.dir: is needed, as paths of data begin with it: the folder of the files"  # or they begin with "None"
        raise ConfigError(Message("settings.data_dir", sentence))
    return {str(key): value for key, value in plain.items()}


def _problem(model: type[BaseModel], detail: ErrorDetails) -> tuple[str, str, str]:
    """Give the key, its rule, and the value; no key where the rule names it."""
    key, siblings = _key(model, detail["loc"])
    rule, value = _rule(detail), detail["input"]
    match detail["type"]:
        case "extra_forbidden":
            return "", unknown_key(key, siblings), ""
        case "missing":
            return "", Message("settings.missing", "{key}: is needed", key=key), ""
        case "union_tag_invalid":
            choices, kind = detail["ctx"]["expected_tags"], _shown(value.get("kind"))
            sentence = "{key}.kind: should be one of {choices} (got {kind})"
            return "", Message("settings.kind", sentence, key=key, choices=choices, kind=kind), ""
        case "union_tag_not_found":
            return "", Message("settings.missing", "{key}: is needed", key=f"{key}.kind"), ""
        case "value_error" if isinstance(value, dict) and not rule.startswith(("should ", "is ")):
            # Of a whole model, which names its keys itself.
            return "", Message("settings.within", "{parent}{rule}", parent=f"{key}." if key else "", rule=rule), ""
        case _:
            return key or "config", rule, Message("settings.got", " (got {value})", value=_shown(value))


def _rule(detail: ErrorDetails) -> str:
    """Say the rule that a value breaks: in pydantic's words, shortened, or in those of a check of our own."""
    facts = detail.get("ctx", {})
    if isinstance(error := facts.get("error"), ValueError):  # of a date it is pydantic's own text
        rule: str = error.args[0]
        return rule
    english = detail["msg"].replace("Input should be", "should be").replace("String should", "should")
    english = (
        english.replace("Input is not a valid path for <class 'pathlib.Path'>", "should be a path")
        .replace("a valid array", "a list")
        .replace("an object", "a mapping")
        .replace("greater than or equal to", "≥")
        .replace("less than or equal to", "≤")
        .replace("greater than", ">")
        .replace("less than", "<")
    )
    match detail["type"]:
        case "greater_than" | "greater_than_equal" | "less_than" | "less_than_equal":
            return Message("settings.bound", "{english}", english=english, bound=english.removeprefix("should be "))
        case "int_type" | "int_from_float" | "int_parsing":
            return Message("settings.integer", "{english}", english=english)
        case "float_type" | "float_parsing" | "finite_number":
            return Message("settings.number", "{english}", english=english)
        case "bool_type" | "bool_parsing":
            return Message("settings.boolean", "{english}", english=english)
        case "string_type":
            return Message("settings.text", "{english}", english=english)
        case "string_too_short" | "too_short":
            return Message("settings.empty", "{english}", english=english)
        case "literal_error":
            return Message("settings.choice", "{english}", english=english, choices=facts["expected"].replace(" or ", ", "))
        case "tuple_type" | "list_type":
            return Message("settings.list", "{english}", english=english)
        case "dict_type" | "model_type":
            return Message("settings.keys", "{english}", english=english)
        case "date_type" | "date_parsing" | "date_from_datetime_parsing" | "date_from_datetime_inexact":
            return Message("settings.date", "{english}", english=english)
        case _:
            return english


def _key(model: type[BaseModel], path: tuple[int | str, ...]) -> tuple[str, list[str]]:
    """Name the key, without the names of a union's sides that pydantic puts in, and list the keys beside it."""
    name, siblings, inside = "", list[str](), [model]  # the types that the next part may be in
    for part in path:
        models = [side for side in inside if isinstance(side, type) and issubclass(side, BaseModel)]
        fields = {field.alias or key: field.annotation for side in models for key, field in side.model_fields.items()}
        tagged = [side for side in models if "kind" in side.model_fields and part in get_args(side.model_fields["kind"].annotation)]
        if isinstance(part, int):
            name, inside, siblings = f"{name}[{part}]", _sides(get_args(side)[0] for side in inside if get_origin(side) is tuple), []
        elif tagged and part not in fields:
            inside = tagged
        elif models:
            name, inside, siblings = f"{name}.{part}", _sides([fields.get(part)]), list(fields)
        elif values := [get_args(side)[1] for side in inside if get_origin(side) is dict]:
            name, inside, siblings = f"{name}.{part}", _sides(values), []
    return name.lstrip("."), siblings


def _sides(annotations: Iterable[Any]) -> list[Any]:
    """List the types that something may be of: the sides of unions, without their conditions."""
    sides = []
    for annotation in annotations:
        origin, parts = get_origin(annotation), get_args(annotation)
        inner = parts if origin in (Union, UnionType) else parts[:1] if origin is Annotated else ()
        sides += _sides(inner) if inner else [annotation]
    return sides


def _shown(value: object) -> str:
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= 80 else f"{text[:80]} …"
