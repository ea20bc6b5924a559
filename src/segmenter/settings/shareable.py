"""What of a config may be shown: no passwords, no contacts."""

import re
from typing import Any

from segmenter.contacts import shown_sql
from segmenter.settings.jobs import CoreSettings
from segmenter.settings.results_jobs import AnyJob


def shareable(settings: AnyJob | CoreSettings) -> dict[str, Any]:
    """Give a config as plain values without its passwords and contacts, for the manifest and for MLflow.

    Whoever runs a launch again from its manifest puts a phone number or a name in a condition back in; all else is there.
    """
    config: dict[str, Any] = settings.model_dump(mode="json")
    for section, key in (("data", "url"), ("ledger", "url"), ("tracking", "uri"), ("exports_database", "url")):
        if (config.get(section) or {}).get(key) is not None:  # a program may have made up settings without them
            config[section][key] = without_password(config[section][key])
    data = getattr(settings, "data", None)
    contacts = () if data is None else (*data.customers.contact, *data.applicants.contact)
    shown: dict[str, Any] = _without_contacts(config, contacts)
    return shown


def _without_contacts(value: Any, contacts: tuple[str, ...]) -> Any:
    match value:
        case str():
            return shown_sql(value, contacts)
        case dict():
            return {key: _without_contacts(item, contacts) for key, item in value.items()}
        case list():
            return [_without_contacts(item, contacts) for item in value]
        case _:
            return value


def without_password(url: str) -> str:
    """Leave out of an address what may be secret: the password, and the options, among which drivers also take one.

    >>> without_password("postgresql://me:secret@host/shop?sslpassword=x")
    'postgresql://me:***@host/shop'
    """
    return re.sub(r"://([^:/@]*):.*@", r"://\1:***@", url, flags=re.DOTALL).partition("?")[0]
