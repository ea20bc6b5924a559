import subprocess
import sys
from pathlib import Path

import pytest

from segmenter import memory

# The children import nothing heavy, and take a few megabytes at a time; what a control group would tell is made up.
TAKING = """
import resource, time
from pathlib import Path
from segmenter import memory
{limit}
memory.watch()
taken = [bytearray(5 << 20) for _ in range({pieces}) if time.sleep(0.002) is None]
print("done")
"""
GROUP = """
memory._groups = lambda: [(Path("/group"), 600 << 20)]
memory._used = lambda folder: int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()
"""


@pytest.mark.parametrize(
    ("limit", "pieces", "code", "said"),
    [
        (GROUP, 200, 2, "0.6 GiB do not suffice (cgroup /group)"),
        (GROUP, 5, 0, ""),
        ("", 200, 0, ""),
        ("resource.setrlimit(resource.RLIMIT_AS, (8 << 30, 8 << 30))", 5, 2, "ulimit -v"),
    ],
)
def test_a_job_that_outgrows_its_limit_says_so_and_others_are_left_alone(limit, pieces, code, said):
    child = [sys.executable, "-c", TAKING.format(limit=limit, pieces=pieces)]
    done = subprocess.run(child, capture_output=True, text=True, check=False)
    assert done.returncode == code, done.stderr
    assert said in done.stderr
    assert bool(done.stderr) == bool(said)
    assert done.stdout.split() == ([] if code else ["done"])


@pytest.mark.parametrize(("groups", "most"), [([], 900 << 20), ([(Path("/group"), 600 << 20)], 400 << 20)])
def test_what_may_still_be_taken_is_known_by_the_narrowest_limit(monkeypatch, groups, most):
    monkeypatch.setattr(memory, "_meminfo", {"MemAvailable": 900 << 20, "MemTotal": 2 << 30}.__getitem__)
    monkeypatch.setattr(memory, "_groups", lambda: groups)
    monkeypatch.setattr(memory, "_used", lambda _: 200 << 20)
    assert memory.available() == most
