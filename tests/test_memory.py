import subprocess
import sys

import pytest

# The children import nothing heavy, and take a few megabytes at a time.
TAKING = """
import resource, time
from segmenter import memory
{limit}
memory.watch()
taken = [bytearray(5 << 20) for _ in range({pieces}) if time.sleep(0.002) is None]
print("done")
"""
LIMIT = "resource.setrlimit(resource.RLIMIT_AS, (600 << 20, 600 << 20))"


@pytest.mark.parametrize(("limit", "pieces", "code"), [(LIMIT, 200, 2), (LIMIT, 5, 0), ("", 200, 0)])
def test_a_job_that_outgrows_its_limit_says_so_and_others_are_left_alone(limit, pieces, code):
    child = [sys.executable, "-c", TAKING.format(limit=limit, pieces=pieces)]
    done = subprocess.run(child, capture_output=True, text=True, check=False)
    assert done.returncode == code, done.stderr
    assert ("0.6 GiB" in done.stderr and "ulimit" in done.stderr) == bool(code)
    assert done.stdout.split() == ([] if code else ["done"])
