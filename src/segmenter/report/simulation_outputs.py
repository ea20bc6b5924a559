"""All that a simulation leaves."""

from segmenter.evaluation.fission import MONEY, Simulation
from segmenter.money import to_units
from segmenter.report.labels import Labels
from segmenter.report.language import translate
from segmenter.report.outputs import Outputs, Record, csv, page
from segmenter.report.shell_commands import own_words
from segmenter.report.simulation_report import conclude_simulation, simulation_report
from segmenter.settings import SimulateJob


def simulation_outputs(found: Simulation, settings: SimulateJob) -> Outputs:
    """List what a simulation leaves, in the launch's language; none of it names a customer."""
    currency, lang = settings.launch.currency, settings.lang
    money = [f"{name}{end}" for name in MONEY for end in ("_low", "", "_high")]
    tables = {"tiers": found.totals, "by_day": found.daily, "generations": found.generations, "differences": found.differences}
    report, typed = simulation_report(found, settings, own_words()), own_words()
    said = conclude_simulation(found, Labels(lang, currency))
    facts = {
        "as_of": str(settings.launch.as_of),
        "typed": list(typed),
        "conclusion": said,
        "recommended": found.recommended,
        "notes": [translate(each, lang) for each in found.notes],
        "warnings": [translate(each, lang) for each in found.warnings],
    }
    metrics = {f"{name}.{row['tier']}": row[name] for row in found.totals.to_dicts() for name in ("members", "people", "cost")}
    record = Record(f"{settings.launch.name} simulate", metrics=metrics, tags={"conclusion": " ".join(said)})
    files = (*(csv(name, to_units(table, money, currency), public=True) for name, table in tables.items()), page("simulate", report, lang))
    return Outputs(files, facts, report, record)
