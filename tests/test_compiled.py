"""What is compiled is kept for later runs, and compiled anew when a source beside it has changed."""

import os
import subprocess
import sys
import time

import pytest

WORK = """
from constant import CONSTANT

from segmenter.compiled import compiled

@compiled
def plus(x):
    return x + CONSTANT
"""


@pytest.mark.slow
def test_a_constant_from_another_file_is_never_an_old_one(tmp_path):
    (tmp_path / "work.py").write_text(WORK)
    (tmp_path / "main.py").write_text("import work\nprint(work.plus(1), sum(work.plus.stats.cache_hits.values()))\n")

    def run():
        done = subprocess.run([sys.executable, "-B", "main.py"], cwd=tmp_path, capture_output=True, text=True, check=True)
        return done.stdout.split()

    def change(constant, ago):
        (tmp_path / "constant.py").write_text(f"CONSTANT = {constant}\n")
        os.utime(tmp_path / "constant.py", (time.time() - ago,) * 2)

    change(1, ago=60)
    assert run() == ["2", "0"]
    assert run() == ["2", "1"]
    change(5, ago=0)
    assert run() == ["6", "0"]
    assert run() == ["6", "1"]
