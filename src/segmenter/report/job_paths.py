"""The files and folders that a job reads, and those that it keeps from one run to the next."""

import glob
import os
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import url2pathname

from segmenter.segments.fitted import LAST, NEW
from segmenter.settings import AnyJob, CompareJob, DatabaseSettings, DemoJob, FilesSettings, MlflowSettings, ReviewJob


def needed_paths(settings: AnyJob) -> Iterator[tuple[str, Path]]:
    """Give what a job reads, with its key or a name for it."""
    from hydra.core.hydra_config import HydraConfig

    yield "the working directory", Path.cwd()
    if HydraConfig.initialized():
        sources = HydraConfig.get().runtime.config_sources
        yield from (("the config", Path(source.path)) for source in sources if source.schema == "file")
    yield from ((key, Path(file)) for key, path in _inputs(settings) for file in _files(os.path.expanduser(path)))


def kept_paths(settings: AnyJob) -> Iterator[tuple[str, Path]]:
    """Give what a job keeps from one launch to the next, with its key."""
    if isinstance(settings, DemoJob | CompareJob):
        return
    beside = Path(os.path.realpath(settings.out.absolute().parent))
    for file in [beside / "ledger.db"] if settings.ledger.url is None else _database(settings.ledger.url):
        yield "ledger.url", file
        yield "ledger.url", Path(os.path.realpath(file)).with_name(f".{os.path.basename(os.path.realpath(file))}.lock")
    if settings.history.store is not None:
        yield "history.store", Path(settings.history.store)
    if isinstance(settings.tracking, MlflowSettings):
        uri = settings.tracking.uri or f"sqlite:///{beside}/mlflow.db"
        if uri.startswith(("sqlite:///", "file:")) or "://" not in uri:
            path = url2pathname(urlsplit(uri).path) if uri.startswith("file:") else uri.removeprefix("sqlite:///").partition("?")[0]
            yield "tracking.uri", Path(path)
            yield "tracking.uri", Path(path).parent / "mlartifacts"
    for key in ("spark.local.dir", "spark.sql.warehouse.dir"):
        if folder := getattr(settings.engine, "conf", {}).get(key):
            yield f"engine.conf.{key}", Path(str(folder))


def _inputs(settings: AnyJob) -> list[tuple[str, str]]:
    if isinstance(settings, DemoJob):
        return [] if settings.results is None else [("results", settings.results)]
    if isinstance(settings, CompareJob):
        return [("a", str(settings.a)), ("b", str(settings.b))]
    found: list[tuple[str, str]] = []
    match settings.data:
        case FilesSettings() as data:
            names = ("orders", "customers", "events", "referrals", "applicants", "visits", "ties")
            paths = {name: getattr(data, name).path for name in names}
            found += [(f"data.{name}.path", path) for name, path in paths.items() if path]
        case DatabaseSettings(url=url):
            found += [("data.url", str(file)) for file in _database(url)]
    if settings.segments.from_ not in (NEW, LAST):
        found.append(("segments.from", settings.segments.from_))
    if isinstance(settings, ReviewJob):
        found += [("review.answers", path) for path in settings.review.answers]
    return [(key, path) for key, path in found if "://" not in path]


def _files(path: str) -> Iterator[str]:
    """Give a path, the folders of the files that it means, and those of the files that are links to others."""
    yield path
    seen = set()
    for match in glob.iglob(path, recursive=True) if glob.has_magic(path) and not os.path.exists(path) else [path]:
        for entry in (match, *(os.scandir(match) if os.path.isdir(match) else [])):
            name = os.fspath(entry)
            if os.path.islink(name) or os.path.dirname(name) not in seen:
                seen.add(os.path.dirname(name))
                yield name


def _database(url: str) -> list[Path]:
    from sqlalchemy import make_url
    from sqlalchemy.exc import ArgumentError

    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError):  # who opens it says so
        return []
    return [Path(os.path.expanduser(parsed.database))] if parsed.get_backend_name() == "sqlite" and parsed.database else []
