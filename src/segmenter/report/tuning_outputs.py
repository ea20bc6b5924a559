"""All that a tuning leaves: its page, the scoring that was found, as a launch takes it, and every trial."""

import polars as pl
from omegaconf import OmegaConf

from segmenter.evaluation.tune import Tuning
from segmenter.report.outputs import Output, Outputs, Record, csv, page, rounded
from segmenter.report.shell_commands import own_words
from segmenter.report.tuning_report import CONF, tuning_advice, tuning_report
from segmenter.settings import TuneJob

_SCORING = "scoring/tuned.yaml"


def tuning_outputs(found: Tuning, settings: TuneJob) -> Outputs:
    """List what a tuning leaves, in the launch's language."""
    report, advice = tuning_report(found, settings, own_words()), tuning_advice(found, settings.lang)
    files = (
        Output(f"{CONF}/{_SCORING}", lambda path: path.write_text(_config(found, advice), encoding="utf-8", newline="\n"), public=True),
        csv("tune", found.trials.with_columns(pl.col("share").round(6)), public=True),
        page("tune", report, settings.lang),
    )
    facts = {
        "learned_from": [str(cut) for cut in found.learned_from],
        "held_back": [str(cut) for cut in found.held_back],
        "horizon_days": found.horizon_days,
        "half_life_days": found.scoring.half_life_days,
        "weights": found.scoring.weights.model_dump(),
        "shares": rounded(found.shares).to_dicts(),
        "differences": rounded(found.differences).to_dicts(),
        "current": found.current,
        "helped": found.helped,
        "advice": advice,
        "warnings": list(report.warnings),
    }
    return Outputs(files, facts, report, tuning_record(found, settings))


def tuning_record(found: Tuning, settings: TuneJob) -> Record:
    """Make the trials steps of the run's metrics: a child for each would bury the launches, and cost 25 ms."""
    shares = found.shares.to_dicts()
    tried = found.trials.with_columns(best_share=pl.col("share").cum_max())
    return Record(
        f"{settings.launch.name} tune",
        metrics={f"{dates}.{row['ranking']}": row[dates] for row in shares for dates in ("learned_from", "held_back")},
        series={f"trial_{name}": tried.select("trial", name).rows() for name in tried.columns if name != "trial"},
        params={"tuned": found.scoring.model_dump(mode="json")},
        tags={"advice": tuning_advice(found, settings.lang), "helped": "yes" if found.helped else "no"},
    )


def _config(found: Tuning, advice: str) -> str:
    """Give the scoring as a file of the config group."""
    scoring = found.scoring.model_dump(mode="json")
    scoring["half_life_days"] = _tidy(scoring["half_life_days"])
    for part in ("weights", "engagement", "advocacy"):
        scoring[part] = {name: _tidy(value) for name, value in scoring[part].items()}
    dates = f"{len(found.learned_from)} past dates, {found.learned_from[0]} to {found.learned_from[-1]}"
    lines = [f"Score 0-100: the weighted sum of the components. Tuned by `segmenter tune` on {dates}.", " ".join(advice.split())]
    head = "".join(f"# {line}\n" for line in lines)
    return head + OmegaConf.to_yaml(OmegaConf.create({"kind": scoring.pop("kind"), **scoring}))


def _tidy(value: float) -> float:
    return int(value) if value == int(value) else value
