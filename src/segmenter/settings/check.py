"""The one function that checks a config, and what of a config may be shown."""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from types import UnionType
from typing import Annotated, Any, TypeVar, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from segmenter.contacts import shown_sql
from segmenter.errors import ConfigError, nearest
from segmenter.settings.jobs import DemoJob, LaunchJob

Job = TypeVar("Job", bound=BaseModel)


def parse(model: type[Job], config: Mapping[str, Any]) -> Job:
    """Check a config against its model and report every error at once.

    Parameters
    ----------
    model : type of Settings
        What the config should be.
    config : mapping
        A plain mapping, or OmegaConf's.

    Returns
    -------
    Settings
        An instance of `model`.

    Raises
    ------
    ConfigError
        One line for each wrong key: its path, the rule, the value, and the nearest valid key for a misspelt one.

    Examples
    --------
    >>> from segmenter.settings.stages import OrdersRule
    >>> parse(OrdersRule, {"min": -1})
    Traceback (most recent call last):
    segmenter.errors.ConfigError: min: should be ≥ 0 (got -1)
    """
    if type(config).__module__.startswith("omegaconf"):
        config = _plain(config)
    try:
        if problems := list(_unwritable(config)):
            raise ConfigError(*problems)
        # By way of JSON, where strictness lets a date and a path be text and a tuple a list.
        return model.model_validate_json(json.dumps(config, default=str))
    except ValidationError as error:
        rules: dict[tuple[str, str], list[str]] = {}  # the sides of a union are told together
        for where, rule, got in (_line(model, detail) for detail in error.errors(include_url=False)):
            rules.setdefault((where, got), []).append(rule)
        told = [line for (where, got), each in rules.items() for line in _told(where, each, got)]
        raise ConfigError(*told) from None
    except (RecursionError, ValueError) as error:
        # Deeper, or with a longer number, than JSON takes.
        raise ConfigError(f"config: should hold no more than numbers, words, and lists and mappings of these (got {error})") from None


def _told(where: str, rules: list[str], got: str) -> list[str]:
    if not where:
        return rules
    first, *others = dict.fromkeys(rules)
    return [f"{where}: {' or '.join([first, *(rule.removeprefix('should be ') for rule in others)])}{got}"]


def _unwritable(value: object, where: str = "") -> Iterator[str]:
    """Tell of text that no file system, database or page takes."""
    match value:
        case str() if re.search(r"[\0\ud800-\udfff]", value):
            rule = "should be text in UTF-8, without a zero byte"
            yield f"{_clean(where)}: {rule} (got {_shown(_clean(value))})"
        case Mapping():
            for key, each in value.items():
                yield from _unwritable(key if isinstance(key, str) else None, f"{where}.{_clean(str(key))}".lstrip("."))
                yield from _unwritable(each, f"{where}.{key}".lstrip("."))
        case list() | tuple():
            for place, each in enumerate(value):
                yield from _unwritable(each, f"{where}[{place}]")


def _clean(text: str) -> str:
    return text.replace("\0", "\\0").encode(errors="backslashreplace").decode()


def shareable(settings: LaunchJob | DemoJob) -> dict[str, Any]:
    """Give a config as plain values without its passwords and contacts, for the manifest and for MLflow.

    Whoever runs a launch again from its manifest puts a phone number or a name in a condition back in; all else is there.

    Parameters
    ----------
    settings : LaunchJob or DemoJob
        A checked config.

    Returns
    -------
    dict
        The addresses in `data.url`, `ledger.url` and `tracking.uri` without password and options.
    """
    config: dict[str, Any] = settings.model_dump(mode="json")
    for section, key in (("data", "url"), ("ledger", "url"), ("tracking", "uri")):
        if (config.get(section) or {}).get(key) is not None:  # a program may have made up settings without them
            config[section][key] = without_password(config[section][key])
    data = getattr(settings, "data", None)
    contacts = () if data is None else data.customers.contact
    shown: dict[str, Any] = _without_contacts(config, contacts)
    return shown


def _without_contacts(value: Any, contacts: tuple[str, ...]) -> Any:
    match value:
        case str():
            return shown_sql(value, contacts)
        case dict():
            return {key: _without_contacts(each, contacts) for key, each in value.items()}
        case list():
            return [_without_contacts(each, contacts) for each in value]
        case _:
            return value


def without_password(url: str) -> str:
    """Leave out of an address what may be secret: the password, and the options, among which drivers also take one.

    Parameters
    ----------
    url : str
        Of a database or a server.

    Returns
    -------
    str
        The same address to show.

    Examples
    --------
    >>> without_password("postgresql://me:secret@host/shop?sslpassword=x")
    'postgresql://me:***@host/shop'
    """
    return re.sub(r"://([^:/@]*):.*@", r"://\1:***@", url, flags=re.DOTALL).partition("?")[0]


def _plain(config: Mapping[str, Any]) -> dict[str, Any]:
    from omegaconf import OmegaConf
    from omegaconf.errors import OmegaConfBaseException

    try:
        plain = OmegaConf.to_container(config, resolve=True, throw_on_missing=True)
    except OmegaConfBaseException as error:
        raise ConfigError(f"{error.full_key or 'config'}: {str(error.msg or error).splitlines()[0]}") from None
    return {str(key): value for key, value in plain.items()} if isinstance(plain, dict) else {}


def _line(model: type[BaseModel], detail: ErrorDetails) -> tuple[str, str, str]:
    """Give the key, its rule, and the value."""
    where, parent = _where(model, detail["loc"])
    rule = detail["msg"].removeprefix("Value error, ").replace("Input should be", "should be").replace("String should", "should")
    rule = (
        rule.replace("Input is not a valid path for <class 'pathlib.Path'>", "should be a path")
        .replace("a valid array", "a list")
        .replace("an object", "a mapping")
        .replace("greater than or equal to", "≥")
        .replace("less than or equal to", "≤")
        .replace("greater than", ">")
        .replace("less than", "<")
    )
    match detail["type"]:
        case "extra_forbidden":
            return where, f"is no key{nearest(str(detail['loc'][-1]), parent)}", ""
        case "missing":
            return where, "is needed", ""
        case "union_tag_invalid":
            choices, kind = detail["ctx"]["expected_tags"], _shown(detail["input"].get("kind"))
            return f"{where}.kind", f"should be one of {choices} (got {kind})", ""
        case "union_tag_not_found":
            return f"{where}.kind", "is needed", ""
        case "value_error" if isinstance(detail["input"], dict) and not rule.startswith(("should ", "is ")):
            return "", f"{where}.{rule}".lstrip("."), ""  # of a whole model: it names its keys itself
        case _:
            return where or "config", rule, f" (got {_shown(detail['input'])})"


def _where(model: type[BaseModel], loc: tuple[int | str, ...]) -> tuple[str, list[str]]:
    """Name the key, without the names of a union's sides that pydantic puts in, and list the keys beside it."""
    name, beside, inside = "", list[str](), [model]  # the types that the next part may be in
    for part in loc:
        models = [each for each in inside if isinstance(each, type) and issubclass(each, BaseModel)]
        fields = {key: field.annotation for each in models for key, field in each.model_fields.items()}
        tagged = [each for each in models if "kind" in each.model_fields and part in get_args(each.model_fields["kind"].annotation)]
        if isinstance(part, int):
            name, inside, beside = f"{name}[{part}]", _sides(get_args(each)[0] for each in inside if get_origin(each) is tuple), []
        elif tagged and part not in fields:
            inside = tagged
        elif models:
            name, inside, beside = f"{name}.{part}", _sides([fields.get(part)]), list(fields)
        elif values := [get_args(each)[1] for each in inside if get_origin(each) is dict]:
            name, inside, beside = f"{name}.{part}", _sides(values), []
    return name.lstrip("."), beside


def _sides(annotations: Iterable[Any]) -> list[Any]:
    """List the types that something may be of: the sides of unions, without their conditions."""
    sides = []
    for each in annotations:
        inner = get_args(each) if get_origin(each) in (Union, UnionType) else get_args(each)[:1] if get_origin(each) is Annotated else ()
        sides += _sides(inner) if inner else [each]
    return sides


def _shown(value: object) -> str:
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= 80 else f"{text[:80]} …"
