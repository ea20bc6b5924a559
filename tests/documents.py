"""The documents' blocks of code, and who runs them.

A line before a block says ``<!-- run: test_X.py -->``, a test that runs it, or ``<!-- not run: REASON -->``; `test_documents.py` runs all others.
"""

import re
import shlex
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]
PAGES = [path for path in (ROOT / "README.md", ROOT / "README.zh.md", *sorted((ROOT / "docs").rglob("*.md"))) if path.is_file()]
BLOCK = re.compile(r"(?:<!-- (run|not run): (.*?) -->\n)?^```(\w*)\n(.*?)^```", re.DOTALL | re.MULTILINE)


@dataclass(frozen=True)
class Block:
    """A block of code in a document."""

    page: str
    language: str
    text: str
    runner: str | None  # the test that runs it; none: test_documents.py
    reason: str | None  # why nobody does

    @property
    def commands(self) -> list[list[str]]:
        """The words of each command, lines that go on joined, without comments."""
        lines = self.text.replace("\\\n", " ").splitlines()
        return [words for line in lines if (words := shlex.split(line, comments=True))]


def blocks_of(path: Path) -> list[Block]:
    """List the blocks of a document."""
    found = BLOCK.findall(path.read_text(encoding="utf-8"))
    page = str(path.relative_to(ROOT))
    return [
        Block(page, language, text, said if how == "run" else None, said if how == "not run" else None)
        for how, said, language, text in found
    ]


BLOCKS = [block for path in PAGES for block in blocks_of(path)]


def the_block(page: str, language: str, holds: str) -> Block:
    """Give the one block of a page that holds these words."""
    (block,) = [each for each in BLOCKS if each.page == page and each.language == language and holds in each.text]
    return block
