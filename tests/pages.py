"""What a page says, taken apart, and compared with what it said: tests/golden holds the text of one page of each kind and language."""

import hashlib
import os
import re
from html.parser import HTMLParser
from pathlib import Path

GOLDEN = Path(__file__).parent / "golden"


class Page(HTMLParser):
    """A page taken apart; it fails where a tag is left open."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: set[str] = set()
        self.parts: list[str] = []  # all that is no style
        self.lines: list[str] = [""]  # one for each cell, item or sentence; drawings left out
        self.feed(page)
        self.close()
        assert not self.open

    @property
    def text(self) -> str:
        return re.sub(r"\s+", " ", " ".join(self.parts))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        if tag not in ("meta", "br", "link", "img"):
            self.open.append(tag)
        if tag not in ("b", "code", "i"):
            self.lines.append("")

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if not {"style", "script"} & set(self.open):
            self.parts.append(data)
            if "svg" not in self.open:
                self.lines[-1] += re.sub(r"\s+", " ", data)


# The commands are in the words that the job was called with, and the origin names its files and settings.
_OF_THE_CALL = re.compile(r"<code>segmenter .*?</code>|<h2[^>]*>(?:How this was made|生成方式)</h2>.*?</section>".encode(), re.DOTALL)


def hash_of(path: Path) -> str:
    """Fingerprint a file; of a page all but what is of the call alone."""
    data = path.read_bytes()
    return hashlib.sha256(_OF_THE_CALL.sub(b"", data) if path.suffix == ".html" else data).hexdigest()


def text_of(page: str) -> str:
    return Page(page).text


def check_alone(page: str) -> None:
    """A page loads nothing, runs nothing but its own script and leads nowhere."""
    assert not Page(page).tags & {"link", "img", "iframe", "object", "a"}
    assert page.count("<script") == 1
    assert not re.search(r"https?://|\bsrc=|\bhref=|url\(|@import", page)
    assert "default-src 'none'" in page


def check_page(name: str, page: str) -> None:
    """Compare the text of a page with its golden file; SEGMENTER_GOLDEN=write writes it anew, to be looked at in the diff."""
    text = "\n".join(line.strip() for line in Page(page).lines if line.strip()) + "\n"
    path = GOLDEN / f"{name}.txt"
    if os.environ.get("SEGMENTER_GOLDEN") == "write":
        path.write_text(text, encoding="utf-8", newline="\n")
    assert path.read_text(encoding="utf-8") == text
