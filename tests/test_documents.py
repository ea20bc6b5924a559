"""What the documents show runs, and the documents are whole."""

import importlib.util
import re
import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest
from documents import BLOCKS, PAGES, ROOT, Block
from jobs import MODELS, composed, exit_code, run_here, settings_of
from made_exports import pharmacy
from marks import slow_but
from omegaconf import OmegaConf

from segmenter.overrides import quoted
from segmenter.settings import parse

OURS = [block for block in BLOCKS if block.runner is None and block.reason is None]
# What keeps a command of the documents small, and on a day of the shop's history.
SMALL = {
    "launch": ["tracking=none", "scoring=weighted"],
    "check": ["tracking=none", "scoring=weighted"],
    "backtest": ["tracking=none", "backtest.max_cuts=2", "backtest.rankings=[spend,decayed]"],
    "tune": ["tracking=none", "backtest.max_cuts=3", "tune.trials=3", "tune.half_lives=[90]"],
    "simulate": ["tracking=none", "fission.runs=100", "scoring=weighted"],
    "review": ["tracking=none"],
    "today": ["tracking=none"],
}
DAYS = {"README.zh.md": ("2026-06-18", "2026-07-17")}


def is_given(words: list[str], key: str) -> bool:
    return any(word.startswith(f"{key}=") for word in words)


def small(page: str, words: list[str]) -> list[str]:
    """Give a command what makes it small and leaves its meaning."""
    job, more = words[1], list(SMALL.get(words[1], []))
    if is_given(words, "from_run"):
        return [*words[1:], "tracking=none"]
    day, end = DAYS.get(page, ("2026-07-01", "2026-07-31"))
    if job in ("launch", "simulate") and not is_given(words, "data") and not any(word.startswith("+experiment") for word in words):
        more.append("data.shop.customers=1500")
    if job in ("launch", "backtest", "tune", "check", "simulate") and not is_given(words, "launch.as_of") and page != "README.zh.md":
        more.append(f"launch.as_of={day}")
    if job in ("today", "review") and not is_given(words, f"{job}.as_of"):
        more.append(f"{job}.as_of={end if job == 'review' else day}")
    return [*words[1:], *(override for override in more if not is_given(words, override.partition("=")[0]))]


@pytest.fixture(scope="session")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("shop")
    run_here("demo", "out=shop", "customers=1500", cwd=folder)
    return folder / "shop"


def prepare(page: str, shop: Path, folder: Path) -> None:
    """Lay out the files that a page speaks of."""
    pharmacy(folder)
    orders = pl.read_csv(shop / "orders.csv")
    customers = pl.read_csv(shop / "customers.csv", infer_schema=False)
    (folder / "exports").mkdir()
    if page.endswith("large_shops.md"):
        orders.with_columns(pl.col("time").str.to_datetime()).write_parquet(folder / "exports" / "orders.parquet")
    else:
        orders.write_csv(folder / "exports" / "orders.csv")
    orders.write_csv(folder / "orders.csv")
    names = {"customer_id": "客户编号", "time": "下单时间", "amount": "实付金额"}
    orders.select(pl.col("order_id"), *(pl.col(name).alias(other) for name, other in names.items())).write_csv(folder / "销售.csv")
    customers.write_excel(folder / "customers.xlsx")
    lines = orders.select("customer_id", "time", InvoiceNo="order_id", Quantity=pl.lit(2), UnitPrice=pl.col("amount") / 2)
    lines.write_csv(folder / "lines.csv")
    pl.DataFrame(
        {"会员编号": ["C000007", "N1"], "报名时间": ["2026-06-20"] * 2, "渠道": ["poster"] * 2, "phone": ["13800000001"] * 2}
    ).write_csv(folder / "form.csv")
    if page == "docs/weekly.md":
        own = ["segmenter", "launch", "data=files", "data.orders.path=orders.csv", "launch.name=spring"]
        run_here(*small(page, own), cwd=folder)
    for name in ("returned_sheets", "收回的表"):
        (folder / name).mkdir()
        customers.head(3).select("customer_id", answer=pl.lit("joined")).write_csv(folder / name / "list.csv")


def file_of(block: Block) -> str | None:
    """Name the file that a block of YAML is, where it says so."""
    found = re.search(r"^# (my_conf/\S+\.yaml)(?! *,)", block.text, re.MULTILINE)
    return found[1] if found else None


@pytest.mark.slow
@pytest.mark.parametrize("page", dict.fromkeys(block.page for block in OURS if block.language == "sh"))
def test_every_command_runs(page: str, shop: Path, tmp_path: Path) -> None:
    prepare(page, shop, tmp_path)
    for block in BLOCKS:
        if block.page in (page, "docs/guide/own_conf.md") and block.language == "yaml" and (name := file_of(block)):
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name).write_text(block.text, encoding="utf-8")
        if block.page != page or block.language != "sh" or block not in OURS:
            continue
        for words in block.commands:
            assert words[0] == "segmenter", words
            if len(words) == 1 or "--help" in words:
                run_here(*words[1:], cwd=tmp_path)
                continue
            with pytest.MonkeyPatch.context() as patch:
                patch.chdir(tmp_path)
                assert exit_code(*small(page, words)) in ([0, 1] if words[1] == "check" else [0]), words
    assert list((tmp_path).glob("outputs/*")) or list(tmp_path.glob("my_*")) or page.endswith("index.md")


PYTHON = [block for block in OURS if block.language == "python"]


@pytest.mark.parametrize("block", slow_but(PYTHON, PYTHON[0]), ids=lambda block: block.page)
def test_every_example_of_the_library_runs(
    block: Block, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    monkeypatch.chdir(tmp_path)
    exec(block.text, {})
    assert capsys.readouterr().out
    assert [path.name for path in tmp_path.iterdir()] == (["report.html"] if "report.html" in block.text else [])


def test_every_override_of_a_command_that_nobody_runs_is_a_key() -> None:
    blocks = [block for block in BLOCKS if block.language == "sh" and block.reason]
    commands = [(block, words) for block in blocks for words in block.commands if words[0] == "segmenter"]
    assert commands
    for block, words in commands:
        assert settings_of(words[1], *map(quoted, words[2:])), block.page


@pytest.mark.parametrize("block", [block for block in BLOCKS if block.language == "yaml"], ids=lambda block: block.page)
def test_every_config_is_one(block: Block, tmp_path: Path) -> None:
    job = "simulate" if "fission:" in block.text else "launch"
    if (name := file_of(block)) and not name.startswith("my_conf/experiment/"):
        (tmp_path / name).parent.mkdir(parents=True)
        (tmp_path / name).write_text(block.text, encoding="utf-8")
        group, chosen = Path(name).parent.name, Path(name).stem
        parse(MODELS[job], composed(job, f"hydra.searchpath=[file://{tmp_path}/my_conf]", f"{group}={chosen}"))
        return
    own = OmegaConf.create(block.text)
    own.pop("defaults", None)
    base = composed(job, *(["data=files", "data.orders.path=x.csv"] if "data" in own else []))
    OmegaConf.set_struct(base, value=False)  # tiers and the like have names of their own
    parse(MODELS[job], OmegaConf.merge(base, own))


def test_every_block_has_one_who_runs_it_or_a_reason_why_not() -> None:
    for block in BLOCKS:
        assert block.language in ("", "sh", "python", "yaml", "cron", "json"), (block.page, block.language)
        assert block.reason != ""
        if block.runner is not None:
            source = (Path(__file__).parent / block.runner).read_text(encoding="utf-8")
            assert "the_block(" in source or block.runner == "test_wheel.py", (block.page, block.runner)


def test_every_link_between_documents_leads_somewhere() -> None:
    made = {f"docs/config/{name}.md" for name in ("index", *reference().PAGES)}
    for page in PAGES:
        for link in re.findall(r"\]\(([^)#\s]+)[^)]*\)", page.read_text(encoding="utf-8")):
            target = (page.parent / link).resolve()
            assert link.startswith("http") or target.exists() or str(target.relative_to(ROOT)) in made, (page.name, link)


def reference() -> object:
    spec = importlib.util.spec_from_file_location("config_reference", ROOT / "docs" / "config_reference.py")
    assert spec is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["config_reference"] = module  # its dataclasses look there
    spec.loader.exec_module(module)
    return module


def test_every_key_of_the_config_has_a_meaning_and_a_page() -> None:
    found = reference().Reference()
    assert not found.problems
    assert "rules.spend.min" in found.pages["rules"]
    assert "in currency units" in found.pages["rules"]
    assert "in days" in found.pages["rules"]


@pytest.mark.slow
def test_a_key_without_a_comment_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    module = reference()
    for path in module.CONF.rglob("*.yaml"):
        copy = tmp_path / path.relative_to(module.CONF)
        copy.parent.mkdir(parents=True, exist_ok=True)
        text = path.read_text(encoding="utf-8")
        copy.write_text(re.sub(r"(max_days: 365) +#.*", r"\1", text), encoding="utf-8")
    monkeypatch.setattr(module, "CONF", tmp_path)
    assert any("rules.recency.max_days" in problem for problem in module.Reference().problems)


@pytest.mark.slow
def test_the_pages_build_without_a_warning_and_load_nothing_from_elsewhere(tmp_path: Path) -> None:
    pytest.importorskip("mkdocs")
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", str(tmp_path / "site")]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, encoding="utf-8", check=False)
    assert done.returncode == 0, done.stderr
    pages = list((tmp_path / "site").rglob("*.html"))
    assert len(pages) > 25
    for page in pages:
        text = page.read_text(encoding="utf-8")
        assert not re.findall(r'<(?:script|img|iframe)[^>]+src="(?:https?:)?//[^"]*', text), page.name
        assert not re.findall(r'<link[^>]+href="(?:https?:)?//[^"]*', text), page.name
