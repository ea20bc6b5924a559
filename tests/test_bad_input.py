"""Every bad input ends with one clear message, exit code 2, and the last good results untouched."""

import gzip
import hashlib
import json
import re
import shutil
from pathlib import Path

import polars as pl
import pytest
import xlsxwriter
from jobs import exit_code
from marks import slow_but

GOOD = {
    "customer_id": [f"c{i}" for i in range(20)],
    "time": ["2026-06-01"] * 20,
    "amount": [float(i) for i in range(20)],
    "province": ["四川省", "云南省"] * 10,
}


@pytest.fixture(scope="module")
def good(tmp_path_factory):
    """A folder with good orders and the results of a good run."""
    folder = tmp_path_factory.mktemp("shop")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        pl.DataFrame(GOOD).write_csv("orders.csv")
        assert run() == 0
    return folder


@pytest.fixture
def shop(good, tmp_path, monkeypatch):
    """A copy of it to spoil."""
    shutil.copytree(good, tmp_path, dirs_exist_ok=True)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(*arguments):
    source = [] if any(argument.startswith("data=") for argument in arguments) else ["data=files", "data.orders.path=orders.csv"]
    return exit_code("launch", *source, "launch.as_of=2026-07-01", "tracking=none", "out=results", *arguments)


def contents(folder: Path):
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


@pytest.mark.slow
def test_sheets_that_are_not_read_are_told_wherever_a_launch_is(shop, capsys):
    with xlsxwriter.Workbook("book.xlsx") as book:
        for name, rows in (("old", 3), ("orders", 20), ("returns", 5)):
            pl.DataFrame(GOOD).head(rows).write_excel(book, name)
        book.get_worksheet_by_name("old").hide()
        book.get_worksheet_by_name("orders").activate()
    assert run("data.orders.path=book.xlsx", "overwrite=true") == 0
    manifest = json.loads(Path("results/manifest.json").read_text(encoding="utf-8"))
    assert manifest["inputs"]["orders"]["rows"] == 20
    (note,) = [warning for warning in manifest["warnings"] if "returns" in warning]
    for told in (note, " ".join(capsys.readouterr().err.split()), Path("results/report.html").read_text(encoding="utf-8")):
        assert ["returns" in told, "old" in told, "hidden" in told] == [True] * 3


CASES = []


def case(function):
    """Mark a function that spoils a shop and gives the overrides and the message's pattern."""
    CASES.append(function)
    return function


@case
def missing_file(shop):
    return ["data.orders.path=ordres.csv"], r"data\.orders\.path: .*ordres\.csv.*nearest: orders\.csv"


@case
def an_engine_of_earlier_versions(shop):
    return ["engine=duckdb", "engine.memory=1GB"], r"engine: .*duckdb.* engine=local"


@case
def empty_file(shop):
    (shop / "empty.csv").touch()
    return ["data.orders.path=empty.csv"], r"data\.orders\.path: .*empty"


@case
def header_only(shop):
    (shop / "header.csv").write_text("customer_id,time,amount\n")
    return ["data.orders.path=header.csv"], r"data\.orders\.path: .*only a header"


@case
def not_what_its_name_says(shop):
    pl.DataFrame(GOOD).write_excel(shop / "book.xlsx")
    (shop / "book.xlsx").rename(shop / "book.csv")
    return ["data.orders.path=book.csv"], r"data\.orders\.path: .*book\.csv.*(Excel|xlsx|zip)"


@case
def truncated_parquet(shop):
    pl.DataFrame(GOOD).write_parquet(shop / "whole.parquet")
    (shop / "half.parquet").write_bytes((shop / "whole.parquet").read_bytes()[:-200])
    return ["data.orders.path=half.parquet"], r"data\.orders\.path: .*half\.parquet"


@case
def truncated_gzip(shop):
    (shop / "half.csv.gz").write_bytes(gzip.compress((shop / "orders.csv").read_bytes())[:-20])
    return ["data.orders.path=half.csv.gz"], r"data\.orders\.path: .*half\.csv\.gz"


@case
def missing_column(shop):
    return ["data.orders.columns.amount=amout"], r'data\.orders\.columns\.amount: there is no column "amout"; nearest: amount'


@case
def all_rejected(shop):
    return [
        "data.orders.columns.amount=province"
    ], r'orders: all of 20 rows were rejected.*\n  20 × province is no amount.*such as "云南省"'


@case
def nobody_eligible(shop):
    return ["rules.spend.min=1000000"], r"rules: no customer is eligible.*\n(.*\n)*  spend_min: 20 before, 20 removed"


@case
def region_of_nobody(shop):
    return ["rules.region.exclude=[四州]"], r'rules\.region\.exclude: no customer is in "四州".*四川'


@case
def before_all_orders(shop):
    return ["launch.as_of=2026-05-01"], r"launch\.as_of: should be after some orders \(got 2026-05-01; the orders run from 2026-06-01"


@case
def long_after_all_orders(shop):
    return ["launch.as_of=2027-07-01"], r"launch\.as_of: should be within a year of the last order \(got 2027-07-01"


@case
def impossible_date(shop):
    return ["launch.as_of=2026-02-29"], r"launch\.as_of: should be a valid date"


@case
def misspelt_key(shop):
    return ["rules.spend.mim=3"], r"rules\.spend\.mim: is no key; nearest: rules\.spend\.min"


@case
def misspelt_added_key(shop):
    return ["+rules.spend.mim=3"], r"rules\.spend\.mim: is no key; nearest: min"


@case
def misspelt_choice(shop):
    return ["data=file"], r"data: is not there: file; nearest: files"


@case
def wrong_types_all_at_once(shop):
    return ["rules.spend.min=many", "plan.group_capacity=-3", "plan.size=0", "lang=fr"], (
        r'rules\.spend\.min: should be a valid number \(got "many"\)\nplan\.size: should be a whole number ≥ 1 or all \| auto \(got 0\)\n'
        r"plan\.group_capacity: should be ≥ 1 \(got -3\)\nlang: should be 'en' or 'zh' \(got \"fr\"\)"
    )


@case
def custom_rule_of_no_measure(shop):
    return ["rules.custom=[{name: big, keep: 'spnd > 3'}]"], r'rules\.custom\.0\.keep \(big\): there is no measure "spnd"; nearest: spend'


@case
def personas_that_are_not_there(shop):
    return ["personas=mine"], r"personas: is not there: mine; it should be a file of a folder personas/"


@case
def personas_on_the_command_line(shop):
    return ["personas=[{name: big, where: 'spend > 3'}]"], r"personas=\[.*\]: should be the name of one of a group's files"


@case
def persona_of_no_measure_and_one_that_cannot_be_read(shop):
    personas = "- {name: big, where: spnd > 3}\n- {name: odd, where: 'spend >'}\n"
    Path("my_conf/personas").mkdir(parents=True)
    Path("my_conf/personas/files.yaml").write_text(f"# @package _global_\npersonas:\n{personas}")  # that of the data's name needs no word
    where = r'personas\.0\.where \(big\): there is no measure "spnd"; nearest: spend.*\npersonas\.1\.where \(odd\): "spend >" cannot be'
    return ["--config-dir", "my_conf"], where


@case
def no_phone_at_all(shop):
    pl.DataFrame({"customer_id": GOOD["customer_id"], "phone": "138****0000"}).unique("customer_id").write_csv("customers.csv")
    where = ["data.customers.path=customers.csv", "data.customers.contact=[phone]", "rules.reachable=[phone]"]
    return where, r"rules: no customer is eligible;(.*\n)*.*  rules\.reachable: nobody of these [\d,]+ can be reached"


@case
def phones_of_nobody(shop):
    return ["rules.reachable=[phone]"], r"rules\.reachable: no column of the customers has their contacts \(got phone\); name those"


@case
def unknown_platform(shop):
    return ["platform=wechatt"], r"platform: is not there: wechatt; nearest: wechat"


@case
def more_key_users_than_a_platform_holds(shop):
    return ["platform=wecom", "plan.key_users=600"], r"plan\.key_users: should be ≤ 500, .*WeCom.*platform\.group_size; got 600"


@case
def unwritable_out(shop):
    (shop / "a_file").touch()
    return ["out=a_file/results"], r"out: cannot be written \(got a_file/results: a_file is no folder\)"


@case
def out_with_other_files(shop):
    (shop / "holiday").mkdir()
    (shop / "holiday" / "photo.jpg").touch()
    return ["out=holiday"], r"out: is not a folder of results \(got holiday, which holds photo\.jpg"


@case
def unreachable_database(shop):
    return [
        "data=database",
        "data.url=postgresql://me:secret@127.0.0.1:9/shop",
        "data.orders.query='SELECT 1'",
    ], r"data\.url: (?!.*secret).*127\.0\.0\.1:9"


@case
def no_such_sqlite_file(shop):
    return ["data=database", "data.url=sqlite:///shop.db", "data.orders.query='SELECT 1'"], r"data\.url: .*shop\.db"


FAST = (
    missing_file,
    truncated_parquet,
    missing_column,
    all_rejected,
    nobody_eligible,
    misspelt_key,
    wrong_types_all_at_once,
    unwritable_out,
)


@pytest.mark.parametrize("case", slow_but(CASES, *FAST), ids=lambda case: case.__name__)
def test_one_clear_message(case, shop, capfd):
    arguments, message = case(shop)
    before = contents(shop)
    assert run(*arguments) == 2
    said = capfd.readouterr()
    assert re.search(message, said.err), said.err
    assert said.err.startswith("segmenter: ")
    assert "Traceback" not in said.err
    assert said.out == ""
    assert contents(shop) == before  # nothing half-written beside the results either


@pytest.mark.slow
def test_an_unreachable_mlflow_server_is_said_and_the_results_are_written(shop, capfd):
    assert run("tracking=mlflow", "tracking.uri=http://127.0.0.1:9") == 2
    said = capfd.readouterr().err
    assert re.search(r"segmenter: tracking\.uri: http://127\.0\.0\.1:9 cannot be reached.*the results are written in results", said), said
    assert (shop / "results" / "invite_list.csv").exists()


@pytest.mark.slow
def test_filled_in_call_sheets_are_not_replaced_unless_asked(shop, capfd):
    sheet = next((shop / "results" / "call_sheets").glob("*.xlsx"))
    sheet.write_bytes(b"answers")
    assert run() == 2
    assert f"call_sheets/{sheet.name}" in capfd.readouterr().err
    assert sheet.read_bytes() == b"answers"
    assert run("overwrite=true") == 0
    assert sheet.read_bytes() != b"answers"


def test_an_unknown_job_and_a_word_that_is_no_override(capsys):
    for arguments, message in ((["lunch"], "there is no job 'lunch'; nearest: launch"), (["launch", "foo"], "foo: should be key=value")):
        assert exit_code(*arguments) == 2
        assert message in capsys.readouterr().err


ODD = [
    (["launch.name=a\udc80b"], "launch.name"),
    (["launch.topic=a\0b"], "launch.topic"),
    (["launch=null"], "launch"),
    (["launch=5", "out=x"], "launch"),
    (["~launch", "out=x"], "launch"),
    (["data=[]"], "data"),
    (["data=null"], "data"),
    (["plan=5"], "plan"),
    (["+x@y=z"], "x@y"),
    (["launch.name=${nope}"], "launch.name"),
    (["launch.name=${launch.name}"], "launch.name"),
    (["launch.community=" + "x" * 100_000], "launch.community"),
    (["launch.community=" + "[" * 1_000 + "]" * 1_000], "launch.community"),
    ([f"+x{number}=1" for number in range(10_000)], "overrides"),
    (["+hydra.callbacks.x._target_=os.system"], "_target_"),
    (["hydra.searchpath=5"], "hydra.searchpath"),
    (["--config-dir", "nope"], "nope"),
    (["--cfg", "job", "--package", "nope"], "nope"),
    (["plan.group_capacity=100000000000000000000"], "plan.group_capacity"),
    (["launch.name=CON"], "launch.name"),
]


@pytest.mark.parametrize(
    ("arguments", "told"),
    slow_but(ODD, *ODD[:2], ODD[9], *ODD[-5:-2]),
    ids=lambda value: value[0][:40] if isinstance(value, list) else "",
)
def test_overrides_that_nobody_means(shop, capfd, arguments, told):
    before = contents(shop)
    assert run(*arguments) == 2
    said = capfd.readouterr()
    assert told in said.err + said.out
    assert "Traceback" not in said.err
    assert said.err.count("\n") < 10
    assert contents(shop) == before


@pytest.mark.parametrize("file", ["experiment/mine.yaml", "plan/mine.yaml", "mine.yaml"])
def test_a_wrong_file_of_a_config_folder_is_told_wherever_it_lies(shop, capfd, file):
    (shop / "conf" / file).parent.mkdir(parents=True, exist_ok=True)
    (shop / "conf" / file).write_text("# @package _global_\nseed: 1\nseed: 2\n")
    chosen = {"experiment/mine.yaml": "+experiment=mine", "plan/mine.yaml": "plan=mine", "mine.yaml": "--config-name=mine"}[file]
    assert run("--config-dir", "conf", chosen) == 2
    said = capfd.readouterr().err
    assert f"{file}, line 3: seed: " in said
    assert said.count("\n") == 1


def test_a_file_that_is_called_as_one_of_ours_is_not_passed_over(shop, capfd):
    own = Path("my_conf/rules/default.yaml")
    own.parent.mkdir(parents=True)
    own.write_text("spend: {min: 500}\n", encoding="utf-8")
    assert run("--config-dir", "my_conf") == 2
    assert str(own) in capfd.readouterr().err
