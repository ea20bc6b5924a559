"""Two languages side by side, next to the code that says them."""

from typing import Literal

Lang = Literal["en", "zh"]


def say(lang: Lang, en: str, zh: str) -> str:
    """Choose the words of a language.

    Parameters
    ----------
    lang : {"en", "zh"}
        The language.
    en, zh : str
        The same words in both.

    Returns
    -------
    str
        One of them.

    Examples
    --------
    >>> say("zh", "orders", "订单")
    '订单'
    """
    return zh if lang == "zh" else en
