"""What a person writes on the command line, as Hydra's grammar wants it."""

import re

from segmenter.errors import ConfigError
from segmenter.messages import Message

_MOST = 1_000
IS_OVERRIDE = re.compile(r"[^-][^=]*=|~")
_SPARK_KEY = re.compile(r"\+{0,2}engine\.conf(?:\.(?=.)|$)(.*)")
# Hydra's grammar knows ASCII words only.
_WORD = re.compile(r"""[^\[\]{},:=()"'\s][^\[\]{},:=()"']*""")


def quoted(argument: str, *, sweep: bool = False) -> str:
    """Put the quotes into an override that Hydra's grammar wants and a person leaves out.

    With `sweep` a comma outside of brackets parts the values of a sweep. What quotes do not help stays as it is.

    >>> quoted("rules.region.exclude=[Zürich,Genève]"), quoted("launch.topic=Zürich VIP: Mai")
    ('rules.region.exclude=["Zürich","Genève"]', 'launch.topic="Zürich VIP: Mai"')
    """
    key, sign, value = argument.partition("=")
    if not sign or key.startswith("--"):
        return argument
    if (name := _SPARK_KEY.match(key)) is not None:
        return _spark_override(name[1], value, sweep=sweep)
    whole = value.replace("\\", "\\\\").replace('"', '\\"')
    words = [f"{key}={_WORD.sub(_quote, value)}"] if sweep or value.startswith(("[", "{")) else []
    return next((text for text in (argument, *words, f'{key}="{whole}"') if _readable(text)), argument)


def forced(argument: str, arguments: list[str]) -> str:
    """Let a key be one that another choice of its group has, where a run is repeated: it goes on top of that run's config."""
    repeats = any(other.startswith("from_run=") for other in arguments)
    return f"++{argument}" if repeats and re.match(r"\w+(?:\.\w+)+=", argument) else argument


def _spark_override(name: str, value: str, *, sweep: bool) -> str:
    """Add a key of Spark's, whose dots Hydra would take for sections, or a mapping of them."""
    if not name or (sweep and "," in value):
        return f"++engine.conf{name and f'.{name}'}={value}"
    plain = re.fullmatch(r"""[\w.+-]+|'[^']*'|"[^"]*\"""", value, flags=re.ASCII)
    # To Hydra a backslash is one, but before a quote.
    text = value if plain else '"' + re.sub(r'\\+(?="|$)', lambda found: found[0] * 2, value).replace('"', '\\"') + '"'
    return f"++engine.conf={{{name}: {text}}}"


def _quote(match: re.Match[str]) -> str:
    word = match[0].rstrip()
    return match[0] if word.isascii() else f'"{word}"{match[0][len(word) :]}'


def _readable(argument: str) -> bool:
    from hydra.core.override_parser.overrides_parser import OverridesParser
    from hydra.errors import HydraException

    try:
        OverridesParser.create().parse_override(argument)
    except (HydraException, RecursionError):
        return False
    return True


def value(argument: str) -> object:
    """Give the value that an override has for Hydra; an empty text where it has none, or is of a single key."""
    from hydra.core.override_parser.overrides_parser import OverridesParser

    try:
        override = OverridesParser.create().parse_override(argument)
        # Of a group: the others may have any value.
        return override.value() if "." not in override.key_or_group else ""
    except Exception:
        return ""


def check_overrides(arguments: list[str]) -> None:
    """Refuse what no shell or person means, before Hydra's parser sees it."""
    if len(arguments) > _MOST:
        sentence = "config: at most {most:,} overrides (got {count:,}); write them in a file for --config-dir"
        raise ConfigError(Message("jobs.many_overrides", sentence, most=_MOST, count=len(arguments)))
    problems = []
    for argument in arguments:
        shown = argument if len(argument) <= 80 else f"{argument[:80]} …"
        if re.search(r"[\0\ud800-\udfff]", argument):
            sentence, key = "{key}: should be text in UTF-8, without a zero byte", shown.replace("\0", "\\0")
            problems.append(Message("jobs.override_no_text", sentence, key=key))
        elif "_target_" in argument:
            problems.append(Message("jobs.override_target", "{key}: _target_ is no key: no code is called from here", key=shown))
    if problems:
        raise ConfigError(*problems[:20])
