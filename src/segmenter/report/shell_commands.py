"""Commands that a person may paste into a shell."""

import os
import re
import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path

from segmenter.contacts import hide, shown_sql
from segmenter.report.earlier_run import as_typed
from segmenter.settings import DemoSettings, LaunchJob, LocalEngine
from segmenter.settings.shareable import without_password

Changes = Mapping[str, str | Sequence[str] | None]  # values that keys get; None: the key is left out

_OPTIONS = re.compile(r"(?i)(?:passw|secret|token|key)\w*=")
_SQL = re.compile(r"\+*(?:data\.\w+\.(?:where|refund|columns\.\w+)|rules\.custom)=")  # keys of conditions
_PLAIN = re.compile(r"(?!(?:null|true|false|on|off|yes|no|nan|inf)$|\.\d)[A-Za-z./][\w./+-]*|\d{4}-\d\d-\d\d", re.ASCII | re.IGNORECASE)


def override(key: str, value: str | Sequence[str]) -> str:
    r"""Give key=value as both the shell and Hydra read it, whatever stands in it.

    >>> print(override("out", "my shop"), override("launch.name", "$(id)"), override("review.answers", ["back"]))
    'out="my shop"' 'launch.name="$(id)"' 'review.answers=[back]'
    """
    return shlex.quote(_override(key, value))


def own_words() -> tuple[str, ...]:
    """Give what the user typed for the job that runs, its config folder and overrides, without passwords; nothing where none runs."""
    from hydra.core.hydra_config import HydraConfig

    if not HydraConfig.initialized():
        return ()
    job = HydraConfig.get()
    folders = [Path(source.path) for source in job.runtime.config_sources if source.provider == "command-line"]
    names = (os.path.relpath(folder) if folder.is_relative_to(Path.cwd()) else str(folder) for folder in folders)
    paths = (word for word in job.overrides.hydra if word.startswith("hydra.searchpath"))
    return tuple(shown(word) for word in (*(f"--config-dir={folder}" for folder in names), *paths, *as_typed(job.overrides.task)))


def shown(word: str) -> str:
    """Leave out of an override what no page may have: a password, unless it is one of the environment, and contacts."""
    options = word.partition("?")[2]
    secret = re.search(r"://[^:/@]*:(?!\$\{oc\.env:\w+\}@).*@", word, re.DOTALL) or _OPTIONS.search(options)
    word = without_password(word) if "://" in word and secret else word
    # Hydra's quotes around an expression are none of SQL's.
    return shown_sql(word.replace('"', "\0")).replace("\0", '"') if _SQL.match(word) else hide(word)


def next_command(job: str, typed: Sequence[str], changes: Changes) -> str:
    """Give the command of another job in the words of the one that ran; `changes` are other values of keys, None and ``key.`` drop them.

    >>> next_command("review", ["+experiment=my shop", "out=here", "data.dir=x"], {"out": "there", "data.": None})
    "segmenter review '+experiment=my shop' out=there"
    """
    kept = [word for word in typed if not any(_key(word) == key or (key[-1] == "." and _key(word).startswith(key)) for key in changes)]
    added = [_override(key, value) for key, value in changes.items() if value is not None]
    return " ".join(["segmenter", job, *map(shlex.quote, [*kept, *added])])


def elsewhere(results: Path, launch: str, name: str) -> Changes:
    """Say where results belong beside those of a launch, where that has put its own elsewhere than the config does."""
    return {"out": None if results == Path("outputs", launch) else results.with_name(name).as_posix()}


def commit_command(settings: LaunchJob, typed: Sequence[str]) -> str:
    """Give the command that makes a draft the launch."""
    url = None if settings.ledger.url is None else without_password(settings.ledger.url)
    changes = {"out": settings.out.as_posix(), **({} if settings.lang == "en" else {"lang": settings.lang})}
    given = [word for word in typed if _key(word) == "ledger.url"]
    return next_command("commit", given, changes if given or url is None or "***" not in url else {**changes, "ledger.url": url})


def review_command(settings: LaunchJob, typed: Sequence[str], place: Path) -> str | None:
    """Give the command that reviews a launch with its results in a folder; None where no ledger says who was invited."""
    name = settings.launch.name
    if not settings.ledger.use:
        return None
    if isinstance(settings.data, DemoSettings):  # which first has to live on
        return next_command("demo", (), {"results": place.as_posix(), **({} if settings.lang == "en" else {"lang": settings.lang})})
    moved = elsewhere(place, name, f"{place.name}_review")
    answers = None if moved["out"] is None else [f"{place.as_posix()}/call_sheets"]
    changes: Changes = {"launch.commit": None, "launch.as_of": None, "review.answers": answers, **moved}
    if not isinstance(settings.engine, LocalEngine):
        changes = {**changes, "engine": "local", "engine.": None}
    return next_command("review", typed, changes if typed else {**changes, "launch.name": name})


def _key(word: str) -> str:
    return word.lstrip("+~").partition("=")[0].partition("@")[0]


def _override(key: str, value: str | Sequence[str]) -> str:
    text = _hydra(value) if isinstance(value, str) else f"[{','.join(map(_hydra, value))}]"
    return f"{key}={text}"


def _hydra(value: str) -> str:
    from hydra.core.override_parser.types import Quote, QuotedString

    if _PLAIN.fullmatch(value):
        return value
    # OmegaConf takes ${…} for the value of another key.
    return QuotedString(re.sub(r"(\\*)\$\{", r"\1\1\\${", value), Quote.double).with_quotes()
