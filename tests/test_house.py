"""The house: what holds for every file of the package. CONTRIBUTING says why."""

import ast
import re
from collections import Counter
from pathlib import Path

import pytest

TESTS = Path(__file__).parent
ROOT = TESTS.parent / "src" / "segmenter"
FILES = sorted(path.relative_to(ROOT) for path in ROOT.rglob("*.py"))
LONGEST = 300
CHINESE = re.compile(r"[\u3000-\u303f\u4e00-\u9fff\uff00-\uffef]")
SPEAK = {"report", "regions", "demo"}
# Modules without a test file of their own, and the one that covers them.
COVERED: dict[str, str] = {}


def source(path: Path) -> str:
    return (ROOT / path).read_text(encoding="utf-8")


def test_a_long_file_says_why_it_is_one():
    silent = [
        path
        for path in FILES
        if source(path).count("\n") > LONGEST and "One file because" not in (ast.get_docstring(ast.parse(source(path))) or "")
    ]
    assert not silent


def test_no_file_name_stands_twice():
    names = Counter(path.name for path in FILES if path.name not in ("__init__.py", "__main__.py"))
    assert [name for name, count in names.items() if count > 1] == []


def test_chinese_stands_in_its_rooms_only():
    assert [path for path in FILES if path.parts[0] not in SPEAK and CHINESE.search(source(path))] == []


@pytest.mark.parametrize("path", [path for path in FILES if path.name not in ("__init__.py", "__main__.py")], ids=str)
def test_every_module_has_its_tests(path):
    own = TESTS / path.parent / f"test_{path.name}"
    other = COVERED.get(path.as_posix())
    assert own.exists() != (other is not None), "either a test file of its own, or a line in COVERED"
    assert other is None or (TESTS / other).exists()


def test_the_list_of_the_covered_names_no_file_that_is_gone():
    assert COVERED.keys() <= {path.as_posix() for path in FILES}
