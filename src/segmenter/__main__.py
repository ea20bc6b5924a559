"""The `segmenter` command: lists the jobs and runs one."""

import ast
import runpy
import sys
from pathlib import Path

from segmenter.exits import end, finish, leave, prepare
from segmenter.home import HOME
from segmenter.run_log import EXIT_CODES
from segmenter.version import __version__


def main() -> None:
    """Run the job named first on the command line, or list the jobs."""
    prepare()
    try:
        _run()
        finish()
    except BaseException as error:
        end(error)


def _run() -> None:
    jobs = {script.stem: script for script in sorted((HOME / "pipelines").glob("*.py"))}
    name = sys.argv[1] if len(sys.argv) > 1 else "--help"
    if name in ("-h", "--help", "help"):
        print(_listing(jobs))
    elif name in ("-V", "--version"):
        print(f"segmenter {__version__}")
    elif name in jobs:
        sys.argv = [str(jobs[name]), *sys.argv[2:]]
        runpy.run_path(str(jobs[name]), run_name="__main__")
    else:
        from segmenter.errors import nearest
        from segmenter.messages import Message

        leave(Message("jobs.no_such_job", "there is no job {name!r}{way_out}", name=name, way_out=nearest(name, jobs)))


def _listing(jobs: dict[str, Path]) -> str:
    lines = [f"  {name:<10} {_purpose(script)}" for name, script in jobs.items()]
    codes = [f"  {code:<10} {meaning}" for code, meaning in EXIT_CODES.items()]
    return "\n".join(
        [
            "Decide whom to invite into a new customer community.",
            "",
            "segmenter JOB [key=value …]",
            "",
            *lines,
            "",
            "segmenter JOB --help      its keys, and how to change them",
            "segmenter JOB --cfg job   the whole config as it would run",
            "",
            "Exit codes:",
            *codes,
        ]
    )


def _purpose(script: Path) -> str:
    """Read the first line of a script's docstring without running it."""
    text = ast.get_docstring(ast.parse(script.read_text(encoding="utf-8"))) or ""
    return text.partition("\n")[0]


if __name__ == "__main__":
    main()
