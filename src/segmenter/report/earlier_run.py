"""A run repeated from its results: with its config and what is given on top, on what it read, or with a word on what is not the same."""

import json
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, cast

from segmenter.errors import ConfigError, InputError
from segmenter.evaluation.launch_changes import setting_differences
from segmenter.messages import Message
from segmenter.report.publication import MANIFEST
from segmenter.report.table_files import inputs_of
from segmenter.settings import AnyJob, LaunchJob
from segmenter.sources.inputs import Inputs
from segmenter.version import __version__

if TYPE_CHECKING:
    from omegaconf import DictConfig

_HOW = ("from_run", "from_run_changed", "quiet", "log", "overwrite")  # of this run, and not of that one


@cache  # the folder may be replaced by this very run
def earlier(folder: Path) -> Mapping[str, Any]:
    """Read what a run said of itself."""
    sentence = "from_run: should be a folder of results, whose manifest says how they were made (got {folder}: {reason})"
    try:
        manifest: dict[str, Any] = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
        _ = manifest["config"]["launch"]["name"], manifest["files"].items(), manifest["inputs"].items()
    except OSError as error:
        raise ConfigError(Message("report.no_run", sentence, folder=folder, reason=error.strerror or str(error))) from error
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        reason = Message("report.no_manifest", "its {file} is none of a job that reads a shop", file=MANIFEST)
        raise ConfigError(Message("report.no_run", sentence, folder=folder, reason=reason)) from error
    if "masked" not in manifest:
        sentence = "from_run: {folder} was written by an earlier version, which does not say what of its config is masked; run it anew"
        raise ConfigError(Message("report.run_too_old", sentence, folder=folder))
    return manifest


def as_typed(words: Sequence[str]) -> list[str]:
    """Give the overrides of a job without how it is run; where it repeats a run, after those of that one."""
    from hydra.core.override_parser.overrides_parser import OverridesParser

    typed = {word: OverridesParser.create().parse_override(word) for word in words}
    own = [word for word in words if typed[word].key_or_group not in _HOW[:-1]]
    folder = next((each.value() for each in typed.values() if each.key_or_group == "from_run"), None)
    if folder is None:
        return own
    then, keys = earlier(_path(folder)), {each.key_or_group for each in typed.values()}
    before = [word for word in then.get("typed", ()) if not {word.lstrip("+~").partition("=")[0].partition("@")[0]} & keys]
    return [*before, *(word.removeprefix("++") for word in own if word != f"out={then['config']['out']}")]


def _path(folder: object) -> Path:
    return Path(os.path.expanduser(str(folder)))


def repeated(given: "DictConfig") -> "DictConfig":
    """Give the config of an earlier run with what was typed on top, in place of the defaults with that on top."""
    from hydra._internal.config_loader_impl import ConfigLoaderImpl
    from hydra.core.hydra_config import HydraConfig
    from hydra.core.override_parser.overrides_parser import OverridesParser
    from omegaconf import OmegaConf

    earlier.cache_clear()
    hydra, folder = HydraConfig.get(), _path(given["from_run"])
    manifest, job = earlier(folder), str(hydra.job.name)
    typed = OverridesParser.create().parse_overrides([*hydra.overrides.task])
    groups = [word.key_or_group for word in typed if word.key_or_group in hydra.runtime.choices]
    keys = {word.key_or_group for word in typed}
    problems: list[str] = []
    if manifest["job"] != job or "review" in given:
        sentence = "from_run: should be the results of `segmenter {job}`, if that does not read answers (got {folder}, of `{other}`)"
        problems.append(Message("report.other_run", sentence, job=job, folder=folder, other=manifest["job"]))
    if beyond := [word.input_line for word in typed if word.is_delete() or word.key_or_group in {*groups} - manifest["config"].keys()]:
        sentence = "from_run: takes the whole config of that run, and single keys on top; leave out {words}"
        problems.append(Message("report.beside_run", sentence, words=beyond))
    if masked := [key for key in manifest["masked"] if not any(f"{key}.".startswith(f"{other}.") for other in keys)]:
        sentence = "from_run: no manifest keeps passwords and contacts; give again {keys}, or a group's file that has it, such as data=NAME"
        problems.append(Message("report.masked", sentence, keys=masked))
    problems += _stopping(differences(manifest, {"segmenter": __version__}, folder), given["from_run_changed"])
    if problems:
        raise ConfigError(*problems)
    text = re.sub(r"(\\*)\$\{", r"\1\1\\\\${", json.dumps(manifest["config"]))  # what has been put in holds no interpolations
    config = cast("DictConfig", OmegaConf.create(json.loads(text)))
    config.update({name: given[name] for name in (*groups, *_HOW)} | {"out": f"{folder}_again"})
    config.launch.commit = False  # to plan a launch again is not to commit it again
    ConfigLoaderImpl._apply_overrides_to_config([word for word in typed if word.key_or_group not in groups], config)
    return config


def differences(then: Mapping[str, Any], now: Mapping[str, Any], folder: Path) -> Iterator[Message]:
    """Say what a run had that this one has not: the version, files, the ledger, as far as both manifests say it."""
    if (version := now.get("segmenter", then["segmenter"])) != then["segmenter"]:
        yield Message(
            "report.run_version", "from_run: {folder} is of version {then}, not {now}", folder=folder, then=then["segmenter"], now=version
        )
    read = now.get("inputs", then["inputs"])
    for table in dict.fromkeys([*then["inputs"], *read]):
        a, b = ({each["name"]: each["sha256"] for each in side.get(table, {}).get("sources", ())} for side in (then["inputs"], read))
        if changed := [name for name in dict.fromkeys([*a, *b]) if a.get(name) != b.get(name)]:
            marks = [f"{name} ({a.get(name, '-')[:8]} → {b.get(name, '-')[:8]})" for name in changed]
            yield Message(
                "report.run_input", "from_run: {table}: not what {folder} was made of: {files}", table=table, folder=folder, files=marks
            )
    if "ledger" in then and now.get("ledger", then["ledger"]) != then["ledger"]:
        yield Message(
            "report.run_ledger", "from_run: the ledger says other than when {folder} was made, of customers or launches", folder=folder
        )


def _stopping(found: Iterator[Message], changed: str) -> list[str]:
    if changed != "stop" or not (problems := [*found]):
        return []
    return [*problems, Message("report.run_changed", "from_run_changed: allow goes on all the same (got stop)")]


def check_same(settings: AnyJob, read: Inputs | None, said: Mapping[str, Any] = MappingProxyType({})) -> None:
    """Stop where what was read, or is said of it, is not as it was when the run was made that is repeated."""
    if not isinstance(settings, LaunchJob) or (folder := settings.from_run) is None:
        return
    now = {**({} if read is None else inputs_of(read)), **said}
    if problems := _stopping(differences(earlier(folder), now, folder), settings.from_run_changed):
        raise InputError(*problems)


def what_differs(settings: LaunchJob) -> Iterator[Message]:
    """Say what a run that was repeated came to beside that one: files, settings, and what was not the same."""
    if (folder := settings.from_run) is None:
        return
    then, now = earlier(folder), json.loads((settings.out / MANIFEST).read_text(encoding="utf-8"))
    a, b = ({name: file["sha256"] for name, file in each["files"].items()} for each in (then, now))
    others = [name for name in dict.fromkeys([*a, *b]) if a.get(name) != b.get(name)]
    keys = [key for key, _, _ in setting_differences(then["config"], now["config"])]
    yield from differences(then, now, folder)
    sentence = "from_run: {same} of {count} files are those of {folder}, byte by byte; other files: {others}; other settings: {keys}"
    facts = {"same": len(a.keys() | b.keys()) - len(others), "count": len(a.keys() | b.keys()), "folder": folder}
    yield Message("report.run_repeated", sentence, others=others or ["-"], keys=keys or ["-"], **facts)
