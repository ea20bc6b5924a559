"""All files of a tuning: the scoring that was found, as a launch takes it, and every trial."""

import polars.selectors as cs
from omegaconf import OmegaConf

from segmenter.evaluation.tune import Tuning
from segmenter.report.language import Lang, translate
from segmenter.report.output_folder import check_owner
from segmenter.report.publication import publish
from segmenter.report.table_files import write_csv, write_manifest
from segmenter.report.tuning_words import tuning_advice
from segmenter.settings import TuneJob
from segmenter.sources.loader import Read

# In the results folder: `segmenter launch --config-dir FOLDER/conf scoring=tuned`.
CONF, SCORING = "conf", "scoring/tuned.yaml"
_DECIMALS = 6


def write_tuning(found: Tuning, read: Read, settings: TuneJob) -> None:
    """Write what tuning found into its folder, whole or not at all; OutputError where it cannot be written."""
    with publish(settings.out, lambda: check_owner(settings)) as folder:
        file = folder / CONF / SCORING
        file.parent.mkdir(parents=True)
        file.write_text(_config(found, settings.lang), encoding="utf-8", newline="\n")
        write_csv(found.trials.with_columns(cs.by_name("share").round(_DECIMALS)), folder / "tune.csv")
        facts = {
            "learned_from": [str(cut) for cut in found.learned_from],
            "held_back": [str(cut) for cut in found.held_back],
            "horizon_days": found.horizon_days,
            "half_life_days": found.scoring.half_life_days,
            "weights": found.scoring.weights.model_dump(),
            "shares": found.shares.with_columns(cs.float().round(_DECIMALS)).to_dicts(),
            "differences": found.differences.with_columns(cs.float().round(_DECIMALS) + 0.0).to_dicts(),  # + 0.0: no -0.0
            "current": found.current,
            "helped": found.helped,
            "advice": tuning_advice(found, settings.lang),
            "warnings": [translate(warning, settings.lang) for warning in found.warnings],
        }
        write_manifest(facts, read, settings, folder)


def _config(found: Tuning, lang: Lang) -> str:
    """Give the scoring as a file of the config group."""
    scoring = found.scoring.model_dump(mode="json")
    scoring["half_life_days"] = _tidy(scoring["half_life_days"])
    for part in ("weights", "engagement", "advocacy"):
        scoring[part] = {name: _tidy(value) for name, value in scoring[part].items()}
    dates = f"{len(found.learned_from)} past dates, {found.learned_from[0]} to {found.learned_from[-1]}"
    lines = [
        f"Score 0-100: the weighted sum of the components. Tuned by `segmenter tune` on {dates}.",
        " ".join(tuning_advice(found, lang).split()),
    ]
    head = "".join(f"# {line}\n" for line in lines)
    return head + OmegaConf.to_yaml(OmegaConf.create({"kind": scoring.pop("kind"), **scoring}))


def _tidy(value: float) -> float:
    return int(value) if value == int(value) else value
