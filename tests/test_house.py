"""The house: what holds for every file of the package. CONTRIBUTING says why."""

import ast
import re
from collections import Counter
from pathlib import Path

import pytest

TESTS = Path(__file__).parent
ROOT = TESTS.parent / "src" / "segmenter"
FILES = sorted(path.relative_to(ROOT) for path in ROOT.rglob("*.py"))
LONGEST = 300
CHINESE = re.compile(r"[\u3000-\u303f\u4e00-\u9fff\uff00-\uffef]")
SPEAK = {"report", "regions", "demo"}
# Test files that cover modules which have none of their own.
COVERS = {
    "checks/test_time_format.py": "checks/date_texts checks/time_zones",
    "cases/test_order_rows.py": (
        "checks/column_words checks/double_refunds checks/last_states checks/order_customers checks/order_grain checks/order_numbers"
        " checks/order_status sources/fill_down sources/order_checks sources/order_statuses"
    ),
    "cases/test_customers.py": "sources/customer_ids sources/shop_currency sources/stream_ids",
    "checks/test_decimal_mark.py": "checks/number_format",
    "checks/test_table_ends.py": "checks/inner_headers checks/table_lines checks/total_words",
    "test_today_job.py": "evaluation/day_progress ledger/added_people ledger/day_facts report/day_outputs report/day_report report/day_sheets report/day_words",
    "demo/test_aftermath.py": "demo/filled_sheets demo/past_launch demo/shop_files",
    "demo/test_shop.py": "demo/behaviour demo/customers demo/orders",
    "engines/test_spark.py": "engines/java engines/number_scan engines/order_cells engines/order_scan engines/parquet_schema engines/spark_session",
    "engines/test_typed_cells.py": "engines/spark_times",
    "evaluation/test_fission.py": "evaluation/fission_world evaluation/past_purchases",
    "evaluation/test_forecast.py": "evaluation/forecast_draws",
    "evaluation/test_lift.py": "evaluation/lift_sums",
    "evaluation/test_review.py": "evaluation/acceptance evaluation/launch_sales evaluation/review_warnings",
    "evaluation/test_tune.py": "evaluation/tuning_trials",
    "guesses/test_experiment.py": (
        "trial "
        "guesses/column_guess guesses/column_names guesses/column_values guesses/customers_guess guesses/guess guesses/known_sources guesses/order_rows_guess"
        " guesses/order_states guesses/orders_guess guesses/shop_locale guesses/source_tables guesses/table_guess"
    ),
    "ledger/test_records.py": "launch_record",
    "regions/test_places.py": "regions/divisions regions/place_patterns regions/readings",
    "regions/test_region_names.py": "regions/spellings",
    "measures/test_aggregator.py": (
        "measures/arrow_columns measures/customer_records measures/kernel measures/kernel_job measures/order_runs measures/place_names"
        " measures/raw_memory measures/record_columns measures/record_layout measures/run_columns measures/run_history measures/run_summary measures/text_views"
    ),
    "measures/test_past.py": "measures/sampling sources/samples",
    "segments/test_names.py": "segments/archetypes",
    "planning/test_allocation.py": (
        "planning/constraints planning/not_invited planning/optimum planning/program planning/shortage planning/value_curves"
    ),
    "planning/test_planner.py": "planning/allocated_plan planning/candidates planning/choice planning/layers",
    "planning/test_schedule.py": "planning/dispatch planning/call_messages planning/agents",
    "report/test_backtest_report.py": "report/backtest_evidence report/backtest_tables",
    "report/test_call_sheets.py": "report/call_sheet_book report/call_sheet_cells report/call_sheet_columns report/call_sheet_pages report/call_sheet_words",
    "report/test_launch_report.py": "report/launch_choice report/launch_makeup report/sections report/topic_report",
    "report/test_output_folder.py": "report/job_paths",
    "ledger/test_drafts.py": "report/ledger_words",
    "report/test_outputs.py": "report/launch_outputs",
    "test_check_job.py": "evaluation/input_check findings report/check_outputs report/check_report report/finding_words",
    "report/test_publication.py": "temp_folders",
    "test_init_job.py": "report/experiment_file report/init_questions report/init_report settings/first_steps",
    "report/test_review_report.py": "report/review_tables",
    "report/test_simulation_report.py": "report/simulation_outputs",
    "scoring/test_lookalike.py": "scoring/seed_columns",
    "scoring/test_single_measure.py": "scoring/decayed scoring/recency scoring/spend",
    "segments/test_topics.py": "segments/topic_model",
    "settings/test_check.py": (
        "home settings/eligibility settings/jobs settings/planning settings/rankings settings/role_points settings/sources settings/stages settings/types"
    ),
    "sources/test_answer_mending.py": "report/mending_sheet",
    "sources/test_answers.py": "sources/answer_lists sources/answer_warnings",
    "sources/test_files.py": "sources/inputs",
    "sources/test_mapping.py": (
        "sources/customer_rows sources/expressions sources/number_columns sources/order_rows sources/row_mapping sources/rows tables"
    ),
    "sources/test_order_store.py": "sources/run_files sources/run_recorder",
    "sources/test_parquet_stream.py": "sources/fallback_rows sources/file_days sources/stream_times",
    "test_rules.py": "conditions",
    "test_explain_job.py": "evaluation/explanation report/explanation_report settings/results_jobs sources/results_folder",
    "test_compare_job.py": "report/changes_outputs report/changes_report",
    "test_library.py": "demo/demo_tables guesses/frame_guess report/notebook",
    "test_spared_imports.py": "estimators",
    "test_launch_stages.py": "launch_model launch_plan tracking/served_model",
    "test_wheel.py": "version",
}
COVERED = {f"{module}.py": test for test, modules in COVERS.items() for module in modules.split()}


def source(path: Path) -> str:
    return (ROOT / path).read_text(encoding="utf-8")


def test_a_long_file_says_why_it_is_one():
    silent = [
        path
        for path in FILES
        if source(path).count("\n") > LONGEST and "One file because" not in (ast.get_docstring(ast.parse(source(path))) or "")
    ]
    assert not silent


def test_no_file_name_stands_twice():
    names = Counter(path.name for path in FILES if path.name not in ("__init__.py", "__main__.py"))
    assert [name for name, count in names.items() if count > 1] == []


def test_chinese_stands_in_its_rooms_only():
    assert [path for path in FILES if path.parts[0] not in SPEAK and CHINESE.search(source(path))] == []


@pytest.mark.parametrize("path", [path for path in FILES if path.name not in ("__init__.py", "__main__.py")], ids=str)
def test_every_module_has_its_tests(path):
    own = TESTS / path.parent / f"test_{path.name}"
    other = COVERED.get(path.as_posix())
    assert own.exists() != (other is not None), "either a test file of its own, or a line in COVERED"
    assert other is None or (TESTS / other).exists()


def test_the_list_of_the_covered_names_no_file_that_is_gone():
    assert COVERED.keys() <= {path.as_posix() for path in FILES}
