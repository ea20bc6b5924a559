"""Why Spark failed, in one line, and the setting that helps."""

import re
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

from segmenter.messages import Message

_EMPTY = re.compile(r"[\w.$]+(Exception|Error):? *(Exception thrown in awaitResult:?)?")  # says nothing itself
_IN_TASK = re.compile(r"most recent failure: (?:Lost task [^:]*: )?(.+)")
_MEMORY = re.compile(r"OutOfMemory|GC overhead|code (3|52|134|137)\b|exceeding (physical )?memory|Not enough memory")
_WAYS_OUT = {
    r"ExecutorLostFailure|Master removed our application|unresponsive": Message(
        "sources.spark_lost", "; a worker was lost: its own log says why"
    ),
    r"No FileSystem for scheme|ClassNotFoundException|NoClassDefFoundError": Message(
        "sources.spark_no_jar",
        "; Spark needs a library for such addresses, for s3a:// engine.conf.spark.jars.packages=org.apache.hadoop:hadoop-aws:VERSION, the "
        "version that of its own Hadoop",
    ),
    r"FileNotFoundException|PATH_NOT_FOUND|FILE_NOT_EXIST|does not exist": Message(
        "sources.spark_no_file", "; files of one machine have to lie under the same path on all workers"
    ),
}


def failure(error: Exception, last_words: Callable[[], str], *, local: bool) -> Message:
    """Say why a job failed: the reason of the worker or the driver itself, and what helps."""
    from py4j.protocol import Py4JError, Py4JJavaError

    dead = "" if not isinstance(error, Py4JError | OSError | EOFError) or isinstance(error, Py4JJavaError) else last_words()
    texts = [dead] if dead else list(_texts(error))
    why = reason(error, texts)
    return Message("sources.spark_failed", "data.orders: engine=spark: {why}{way_out}", why=why, way_out=_way_out(texts, dead, local=local))


def reason(error: Exception, texts: list[str] | None = None) -> str:
    """Give the line that says most of all that Java says of an error."""
    found = list(_texts(error)) if texts is None else texts
    if task := next((match[1] for text in found if (match := _IN_TASK.search(text))), None):
        return task.strip()
    lines = [line for text in found if (line := text.strip().partition("\n")[0].strip())]
    why = next((line for line in lines if not _EMPTY.fullmatch(line)), lines[0] if lines else repr(error))
    if "TIMESTAMP(NANOS" in why:
        return Message("sources.spark_nanoseconds", "{why}; write times in microseconds, or engine=local", why=why)
    return why


def _way_out(texts: list[str], dead: str, *, local: bool) -> Message | str:
    said = "\n".join(texts)
    if _MEMORY.search(said):
        sentence = "; {side} needs more memory: engine.conf.spark.{side}.memory=6g, or more than it has"
        on_worker = not local and not dead and re.search(r"Lost task|ExecutorLost|executor \d", said)
        return Message("sources.spark_memory", sentence, side="executor" if on_worker else "driver")
    return next((way_out for found, way_out in _WAYS_OUT.items() if re.search(found, said)), "")


def _texts(error: Exception) -> Iterator[str]:
    """Give what Java says of an error and of its causes."""
    java: Any = getattr(error, "_origin", None) or getattr(error, "java_exception", None)
    if java is None:
        yield str(error)
    with suppress(Exception):  # its Java is dead
        while java is not None:
            yield str(java.toString())
            java = java.getCause()
