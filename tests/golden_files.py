"""What a page says, compared with what it said: tests/golden holds the text of one page of each kind and language."""

import os
import re
from html.parser import HTMLParser
from pathlib import Path

GOLDEN = Path(__file__).parent / "golden"


class _Lines(HTMLParser):
    """The text of a page, one line for each cell, item or sentence; drawings and styles left out."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[str] = [""]
        self.skipped: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in ("style", "svg"):
            self.skipped.append(tag)
        if tag not in ("b", "code", "i"):
            self.lines.append("")

    def handle_endtag(self, tag: str) -> None:
        if self.skipped and self.skipped[-1] == tag:
            self.skipped.pop()

    def handle_data(self, data: str) -> None:
        if not self.skipped:
            self.lines[-1] += re.sub(r"\s+", " ", data)


def check_page(name: str, page: str) -> None:
    """Compare the text of a page with its golden file; SEGMENTER_GOLDEN=write writes it anew, to be looked at in the diff."""
    parser = _Lines()
    parser.feed(page)
    text = "\n".join(line.strip() for line in parser.lines if line.strip()) + "\n"
    path = GOLDEN / f"{name}.txt"
    if os.environ.get("SEGMENTER_GOLDEN") == "write":
        path.write_text(text, encoding="utf-8", newline="\n")
    assert path.read_text(encoding="utf-8") == text
