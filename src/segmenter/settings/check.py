"""The one function that checks a config, and what of a config may be shown."""

import json
import re
from collections.abc import Mapping
from typing import Any, TypeVar, get_args

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
        # By way of JSON, where strictness lets a date and a path be text and a tuple a list.
        return model.model_validate_json(json.dumps(config, default=str))
    except ValidationError as error:
        raise ConfigError(*(_line(model, detail) for detail in error.errors(include_url=False))) from None


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


def _line(model: type[BaseModel], detail: ErrorDetails) -> str:
    where, parent = _where(model, detail["loc"])
    rule = detail["msg"].removeprefix("Value error, ").replace("Input should be", "should be")
    rule = (
        rule.replace("greater than or equal to", "≥")
        .replace("less than or equal to", "≤")
        .replace("greater than", ">")
        .replace("less than", "<")
    )
    match detail["type"]:
        case "extra_forbidden":
            return f"{where}: is no key{nearest(str(detail['loc'][-1]), parent)}"
        case "missing":
            return f"{where}: is needed"
        case "value_error" if where and isinstance(detail["input"], dict):
            return f"{where}.{rule}"
        case "value_error" if isinstance(detail["input"], dict):
            return rule
        case _:
            return f"{where}: {rule} (got {_shown(detail['input'])})"


def _where(model: type[BaseModel], loc: tuple[int | str, ...]) -> tuple[str, list[str]]:
    """Name the key, without the tags of unions that pydantic puts in, and list the keys beside it."""
    names: list[str] = []
    inside = [model]  # the models that the next name may be a field of
    for part in loc:
        fields = {key: field.annotation for item in inside for key, field in item.model_fields.items()}
        tagged = [item for item in inside if "kind" in item.model_fields and part in get_args(item.model_fields["kind"].annotation)]
        if tagged and part not in fields:
            inside = tagged
        elif part is loc[-1] or not inside:
            return ".".join([*names, *(str(rest) for rest in loc[len(loc) - 1 :])]), list(fields)
        else:
            names.append(str(part))
            inside = _models(fields[part]) if part in fields else inside
    return ".".join(names), []


def _models(annotation: Any) -> list[Any]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [model for argument in get_args(annotation) for model in _models(argument)]


def _shown(value: object) -> str:
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= 80 else f"{text[:80]} …"
