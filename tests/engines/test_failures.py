"""Of what Java says, the line that tells why, and the setting that helps."""

import pytest

pytest.importorskip("py4j")
from py4j.protocol import Py4JJavaError, Py4JNetworkError

from segmenter.engines.failures import failure, reason

IN_TASK = "org.apache.spark.SparkException: Job aborted due to stage failure: Task 3 in stage 2.0 failed 4 times, most recent failure: "
AWAITED = "org.apache.spark.SparkException: Exception thrown in awaitResult: "
HEAP = "java.lang.OutOfMemoryError: Java heap space"


class Java:
    def __init__(self, text, cause=None):
        self.toString, self.getCause = lambda: text, lambda: cause


def raised(*texts):
    java = None
    for text in reversed(texts):
        java = Java(text, java)
    error = Py4JJavaError.__new__(Py4JJavaError)
    error.java_exception = java
    return error


@pytest.mark.parametrize(
    ("texts", "local", "why", "way_out"),
    [
        ([AWAITED, HEAP], True, HEAP, "engine.conf.spark.driver.memory=6g"),
        (
            [f"{IN_TASK}Lost task 3.3 in stage 2.0 (TID 7) (host executor 1): {HEAP}\n\tat x"],
            False,
            HEAP,
            "engine.conf.spark.executor.memory=6g",
        ),
        ([f"{IN_TASK}Lost task 3.3 in stage 2.0 (TID 7) (host executor driver): {HEAP}"], True, HEAP, "engine.conf.spark.driver.memory=6g"),
        (
            [AWAITED, f"{IN_TASK}ExecutorLostFailure (executor 3 exited) Reason: Command exited with code 52\nDriver stacktrace:"],
            False,
            "ExecutorLostFailure (executor 3 exited) Reason: Command exited with code 52",
            "engine.conf.spark.executor.memory=6g",
        ),
        ([f"{IN_TASK}ExecutorLostFailure (executor 3) Reason: Worker shutting down"], False, "ExecutorLostFailure", "its own log says why"),
        (["java.io.IOException: x", "No FileSystem for scheme: s3"], False, "java.io.IOException", "hadoop-aws"),
        (["java.io.FileNotFoundException: File file:/a does not exist"], False, "file:/a", "under the same path on all workers"),
    ],
)
def test_the_worker_s_own_reason_and_what_helps(texts, local, why, way_out):
    message = failure(raised(*texts), str, local=local)
    assert why in message
    assert way_out in message
    assert "\n" not in message
    assert "awaitResult" not in message


@pytest.mark.parametrize("error", [ConnectionRefusedError(111, "refused"), EOFError(), Py4JNetworkError("no answer")])
def test_a_driver_that_died_says_why_itself(error):
    said = f"Terminating due to {HEAP}"
    assert failure(error, lambda: said, local=False).endswith(
        f"{said}; driver needs more memory: engine.conf.spark.driver.memory=6g, or more than it has"
    )
    assert failure(error, str, local=False)


def test_what_says_nothing_is_passed_over_where_something_else_does():
    assert reason(raised(AWAITED, "java.lang.IllegalStateException: why")) == "java.lang.IllegalStateException: why"
    assert reason(raised(AWAITED)) == AWAITED.strip()
