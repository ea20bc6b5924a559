"""Two languages side by side, next to the code that says them."""

from typing import Literal, Protocol

Lang = Literal["en", "zh"]


class Progress(Protocol):
    """Told what a job is at, and how far where that is known."""

    def __call__(self, stage: str, done: int = 0, total: int = 0) -> None:
        """Take note.

        Parameters
        ----------
        stage : str
            What is done now.
        done, total : int
            So many rows of so many; 0 and 0 where nobody counts.
        """


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
