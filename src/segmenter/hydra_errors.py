"""What Hydra and OmegaConf stumble over, in our words."""

import os
import re
import sys
import traceback
from pathlib import Path

from segmenter.config_files import loaded, place_of
from segmenter.errors import ConfigError, SegmenterError, nearest
from segmenter.home import HOME
from segmenter.messages import Message
from segmenter.overrides import value

_GONE = {"engine/duckdb": Message("jobs.duckdb_gone", "; it took as much memory as local, and four times as long: choose engine=local")}

_GROUPS = "data|engine|rules|scoring|segments|roles|personas|topics|plan|platform|tracking"


def while_composing(error: Exception) -> bool:
    """Tell whether it is Hydra that stumbled, over what it was given; a job's own errors do not come so far."""
    modules = [str(frame.f_globals.get("__name__")) for frame, _ in traceback.walk_tb(error.__traceback__)]
    hydra = any(name.partition(".")[0] in ("hydra", "omegaconf", "antlr4") for name in modules)
    return hydra and not isinstance(error, SegmenterError | MemoryError | ImportError)


def in_our_words(error: Exception) -> Exception:
    """Say in our words what Hydra found."""
    if isinstance(error, RecursionError):
        sentence = "config: is nested too deep, in an override, or as files name each other in their defaults (read last: {files})"
        return ConfigError(Message("jobs.config_too_deep", sentence, files=tuple(loaded[-2:])))
    if isinstance(error, OSError) and type(error).__module__ == "builtins":
        return error
    text = f"{error}\n{error.__cause__ or ''}"
    if (wrong := re.search(r"Could not override '([^']+)'", text)) and "struct" in text:
        return _unknown_key(wrong[1])
    if missing := re.search(r"Could not (?:find|load) '([^']+)'", text):
        group, _, name = missing[1].rpartition("/")
        choices = re.findall(r"^\t([^_\s]\S*)$", text, flags=re.MULTILINE)
        here = os.path.join(_config_dir() or "", f"{missing[1]}.yaml")
        unreadable = Message("jobs.no_readable_file", " ({file} is no file that can be read)", file=here) if os.path.lexists(here) else ""
        naming = Message("jobs.named_by", "; {file} names it", file=asked[1]) if (asked := re.match(r"In '([^']+)'", text)) else ""
        facts = {"group": group or "config", "name": name, "unreadable": unreadable, "naming": naming}
        way_out = _GONE.get(missing[1]) or nearest(name, choices)
        return ConfigError(
            Message("jobs.no_such_group", "{group}: is not there: {name}{way_out}{unreadable}{naming}", way_out=way_out, **facts)
        )
    if type(error).__name__ == "OverrideParseException":
        override = str(getattr(error, "override", None) or "config")
        if not override.partition("=")[0].isascii():
            sentence = "{key}: a key here is ASCII; write others in a file for --config-dir"
            return ConfigError(Message("jobs.key_not_ascii", sentence, key=override))
        return ConfigError(Message("jobs.no_key_value", "{key}: should be key=value", key=override))
    if "group override must be" in text or "can only concatenate str" in text:
        of_groups = [argument for argument in sys.argv[1:] if re.match(rf"\+?({_GROUPS}|experiment)=", argument)]
        wrong_ones = [argument for argument in of_groups if not _names_files(value(argument))]
        sentence = "{key}: should be the name of one of a group's files, for --config-dir, which hold all else"
        return ConfigError(*(Message("jobs.no_group_file", sentence, key=argument) for argument in wrong_ones or ["config"]))
    if folder := re.search(r"Additional config directory '(.+)' not found", text):
        return ConfigError(Message("jobs.no_config_dir", "--config-dir: is not there: {folder}", folder=folder[1]))
    lines = [line for line in text.splitlines() if line.strip() and not line.startswith("See https")]
    return ConfigError("config: " + " ".join(lines[:2]))


def _names_files(choice: object) -> bool:
    return isinstance(choice, str) or (isinstance(choice, list) and all(isinstance(name, str) for name in choice))


def check_files() -> None:
    """Refuse what Hydra passes over: a file of the user's that is called as one of ours, and personas that are not there."""
    from hydra.core.hydra_config import HydraConfig

    conf, folder = HOME / "conf", Path(_config_dir() or HOME / "conf")
    ours = [Path(path) for path in dict.fromkeys(loaded) if Path(path).is_relative_to(conf)]
    pairs = [(path, folder / path.relative_to(conf)) for path in ours]
    sentence = "{path}: segmenter has a file of that name, which is read in its place; give it another, and choose that"
    if hidden := [own for path, own in pairs if own.is_file() and own.read_bytes() != path.read_bytes()]:
        raise ConfigError(*(Message("config.hidden", sentence, path=path) for path in hidden))
    choices = HydraConfig.get().runtime.choices if HydraConfig.initialized() else {}
    name = choices.get("personas")
    if name in (None, choices.get("data")) or any(path.endswith(f"{os.sep}personas{os.sep}{name}.yaml") for path in loaded):
        return
    sentence = "personas: is not there: {name}; it should be a file of a folder personas/ in the folder given by --config-dir"
    raise ConfigError(Message("jobs.no_personas", sentence, name=name))


def _unknown_key(key: str) -> ConfigError:
    from hydra import compose, initialize_config_dir
    from hydra.core.global_hydra import GlobalHydra
    from omegaconf import OmegaConf

    from segmenter.home import HOME
    from segmenter.settings.check import unknown_key

    job = os.path.splitext(os.path.basename(sys.argv[0]))[0]
    overrides = [argument for argument in sys.argv[1:] if re.match(rf"({_GROUPS})=[\w/-]+$", argument)]
    GlobalHydra.instance().clear()
    if folder := _config_dir():  # where a group's file of the user's own may be
        overrides.append(f"hydra.searchpath=[file://{os.path.abspath(folder)}]")
    with initialize_config_dir(str(HOME / "conf"), version_base="1.3"):
        config = compose(job, overrides=overrides)
    names = _keys(OmegaConf.to_container(config, resolve=False))
    section = key.rpartition(".")[0]
    if key in names and not OmegaConf.is_dict(OmegaConf.select(config, key)):
        sentence = "{section}: should be a mapping; another override or a file makes it something else, so that {key} has no place"
        return ConfigError(Message("jobs.no_mapping", sentence, section=section or key, key=key))
    if key in names:
        return ConfigError(Message("jobs.needs_plus", "{key}: takes a new key with a plus only, as +{key}.NAME=…", key=key))
    return ConfigError(unknown_key(key, names, full=True))


def _config_dir() -> str | None:
    folder = re.search(r"(?:^|\0)(?:--config-dir|-cd)[=\0]([^\0]+)", "\0".join(sys.argv[1:]))
    return folder[1] if folder else None


def _keys(config: object, prefix: str = "") -> list[str]:
    if not isinstance(config, dict):
        return []
    return [key for name, value in config.items() for key in (f"{prefix}{name}", *_keys(value, f"{prefix}{name}."))]


def check_interpolations(*configs: object) -> None:
    """Resolve all interpolations once, to say where one that cannot be stands."""
    from omegaconf import DictConfig, OmegaConf
    from omegaconf.errors import OmegaConfBaseException

    for config in configs:
        try:
            if isinstance(config, DictConfig):
                OmegaConf.to_container(config, resolve=True, throw_on_missing=True)
        except OmegaConfBaseException as error:
            key, parent = error.full_key or "config", error.parent_node
            node = parent._get_node(error.key) if isinstance(parent, DictConfig) and error.key in parent else None
            reason = str(error.msg or error).splitlines()[0]
            if "Missing mandatory value" in reason:
                from segmenter.settings.check import missing_value

                raise ConfigError(missing_value(key, reason)) from None
            place = place_of(getattr(node, "_value", lambda: None)())
            raise ConfigError(Message("jobs.interpolation_wrong", "{key}: {reason}{place}", key=key, reason=reason, place=place)) from None
        except RecursionError:
            sentence = "config: an interpolation, ${{…}}, leads back to itself; write the value out"
            raise ConfigError(Message("jobs.interpolation_circle", sentence)) from None
