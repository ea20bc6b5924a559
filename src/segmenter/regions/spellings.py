"""One spelling of each name, whatever blanks, width or case it was written with."""

import re
import unicodedata
from collections.abc import Iterable, Mapping

_ENDINGS = re.compile("(?:特别行政区|省|市|地区|盟)$")


def plain(name: str) -> str:
    """Take off what does not tell names apart: width, outer and double spaces, 省, 市 and the like; the case stays."""
    name = " ".join(unicodedata.normalize("NFKC", name).split())
    if re.search(r"[\u3400-\u9fff]", name):
        name = name.replace(" ", "")
    stripped = _ENDINGS.sub("", name)
    return stripped if len(stripped) > 1 else name


def key_of(name: str) -> str:
    """Give what is the same for all spellings of a name."""
    return plain(name).casefold()


def most_frequent(counts: Mapping[str, int], key: Mapping[str, str]) -> dict[str, str]:
    """Say for each text how it is shown: as the most frequent of those with the same key is written, ties by name."""
    shown: dict[str, str] = {}
    for text in sorted(counts, key=lambda text: (-counts[text], text)):
        shown.setdefault(key[text], plain(text))
    return {text: shown[key[text]] for text in counts}


def by_key(aliases: Mapping[str, str]) -> dict[str, str]:
    """Give a shop's aliases by the key of the names."""
    return {key_of(name): target for name, target in aliases.items()}


def aliased(texts: Iterable[str | None], aliases: Mapping[str, str]) -> list[str | None]:
    """Put aliases' targets in their names' stead."""
    return [text if text is None else aliases.get(key_of(text), text) for text in texts] if aliases else list(texts)
