"""The pages in a real Chromium: nothing leaves them, their tables sort and search by keyboard, and everybody can read them."""

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from jobs import run_here

from segmenter.report import charts
from segmenter.report.launch_report import launch_report
from segmenter.report.page import render_page
from segmenter.report.sections import Advice, Cell, Fact, Figure, Glossary, Grid, Report, Section, Steps, Table, columns, row, text
from segmenter.words import visible

pytestmark = pytest.mark.slow

QUICK = ("tracking=none", "segments.k=3", "segments.bootstraps=2", "data.shop.customers=2000")
PAST = (*QUICK, "scoring=weighted", "ledger.use=false", "launch.name=past")
REAL = ("scoring=spend", "ledger.use=false", "tracking=none", "segments.k=3", "segments.bootstraps=2")
AFTER = ("data=demo_after", "tracking=none", "review.answers=[demo_shop/answers]")
AGENTS = "plan.agents=[{name: an, calls_per_day: 30}, {name: '<b>bo</b>', calls_per_day: 20}]"
RUN = ("launch.commit=true", "launch.target=800000", "plan.size=400", "plan.group_capacity=40")
# What each page needs, the command that makes it, and where it then is.
JOBS: dict[str, tuple[str, tuple[str, ...], str]] = {
    "launch": ("", ("launch", *QUICK, *RUN, "scoring=weighted", AGENTS, "lang=zh"), "demo/report.html"),
    "month": ("launch", ("demo", "results=outputs/demo"), ""),
    "today": ("month", ("today", *AFTER, "today.as_of=2026-07-20", "lang=zh"), "demo_today_2026-07-20/today.html"),
    "review": ("month", ("review", *AFTER, "review.as_of=2026-07-31", "lang=en"), "demo_review/review.html"),
    "other": ("", ("launch", *QUICK, "launch.name=other", "scoring=spend", "rules.recency.max_days=60"), "other/report.html"),
    "compare": ("launch other", ("compare", "a=outputs/demo", "b=outputs/other", "lang=en"), "comparison/comparison.html"),
    "backtest": ("", ("backtest", *PAST, "backtest.rankings=[spend,rfm]", "backtest.max_cuts=3", "lang=en"), "past_backtest/backtest.html"),
    "tune": ("", ("tune", *PAST, "backtest.rankings=[spend]", "backtest.max_cuts=4", "tune.trials=3", "lang=zh"), "past_tune/tune.html"),
    "simulate": ("", ("simulate", *PAST, "fission.runs=100", "lang=zh"), "past_simulate/simulate.html"),
    "check": ("", ("check", "data.shop.customers=2000", "launch.name=past", "lang=en"), "past_check/check.html"),
    "taobao": ("", ("launch", "data=taobao", "rules.recency.max_days=90", *REAL, "lang=zh"), "taobao/report.html"),
    "retail": ("", ("launch", "data=online_retail", *REAL, "lang=en"), "online_retail/report.html"),
}
NAMES = (
    "<script>document.title = 'run'</script>",
    "\"'><img src=x onerror=alert(1)>",
    "\u202eright to left",
    "🦄 ملك",
    "W" * 200,
    "长" * 200,
)


@pytest.fixture(scope="session")
def page_of(tmp_path_factory: pytest.TempPathFactory, data_dir: Path) -> Callable[[str], Path]:
    """Give the page that a job left; each job runs once."""
    folder, done = tmp_path_factory.mktemp("pages"), set[str]()

    def make(kind: str) -> Path:
        needed, words, page = JOBS[kind]
        for each in needed.split():
            make(each)
        if kind not in done:
            run_here(*words, *([f"data.dir={data_dir}"] if kind in ("taobao", "retail") else []), cwd=folder)
            done.add(kind)
        return folder / "outputs" / page

    return make


@pytest.fixture
def opened(browser: Any, tmp_path: Path) -> Iterator[Callable[..., Any]]:
    """Open a page, made or rendered here; it may say nothing to the console, ask for nothing and open no window."""
    contexts, told = [], []

    def show(page: Path | Report, *, width: int = 1200, **options: Any) -> Any:
        if isinstance(page, Report):
            path = tmp_path / "page.html"
            path.write_text(render_page(page, "en"), encoding="utf-8")
            page = path
        contexts.append(browser.new_context(viewport={"width": width, "height": 900}, **options))
        shown = contexts[-1].new_page()
        for event in ("console", "pageerror", "dialog", "popup", "requestfailed"):
            shown.on(event, lambda what, event=event: told.append(f"{event}: {what}"))
        shown.on("request", lambda request: None if request.url == page.as_uri() else told.append(request.url))
        shown.goto(page.as_uri())
        return shown

    yield show
    for context in contexts:
        context.close()
    assert told == []


def check_looks(page: Any) -> None:
    """Nothing keeps anybody from reading it, and no line is wider than the screen or the paper."""
    from axe_playwright_python.sync_playwright import Axe

    for width in (1200, 390):
        page.set_viewport_size({"width": width, "height": 900})
        found = [each for each in Axe().run(page).response["violations"] if each["impact"] in ("serious", "critical")]
        assert [(each["id"], each["nodes"][0]["html"]) for each in found] == []
        assert page.evaluate("document.documentElement.scrollWidth") <= width


def texts(page: Any, at: int, table: int = 0) -> list[str]:
    """Give what stands in a column, from top to bottom, without what is small below it."""
    script = """([table, at]) => [...document.querySelectorAll("table")[table].tBodies[0].rows].filter((row) => row.offsetParent)
        .map((row) => [...row.cells[at].childNodes].filter((node) => node.nodeName !== "SMALL").map((node) => node.textContent).join(""))"""
    return [each.strip() for each in page.evaluate(script, [table, at])]


def wait_until(page: Any, holds: str) -> None:
    """Ask again and again from here: what Playwright asks within a page is code, which the page does not run."""
    for _ in range(200):
        if page.evaluate(holds):
            return
        page.wait_for_timeout(50)
    raise AssertionError(holds)


def tab_to(page: Any, selector: str) -> None:
    """Reach something by the Tab key alone."""
    for _ in range(200):
        page.keyboard.press("Tab")
        if page.evaluate("selector => document.activeElement.matches(selector)", selector):
            return
    raise AssertionError(f"{selector} is not reached by keyboard")


@pytest.mark.parametrize("kind", [kind for kind, (_, _, page) in JOBS.items() if page and kind != "other"])
def test_a_page_of_each_job_is_alone_small_and_legible(kind: str, page_of: Callable[[str], Path], opened: Callable[..., Any]) -> None:
    path = page_of(kind)
    assert path.stat().st_size < 3_000_000
    page = opened(path)
    check_looks(page)
    assert page.locator("h1").count() == 1
    assert page.locator(".advice p").first.inner_text() or kind in ("launch", "taobao", "retail")
    page.evaluate("document.querySelectorAll('th button').forEach((button) => button.click())")
    check_sorted(page)
    page.set_viewport_size({"width": 1200, "height": 900})
    paper = page.pdf(format="A4")
    assert len(re.findall(rb"/Type\s*/Page\b", paper)) <= 16


def check_sorted(page: Any) -> None:
    """Each column that was sorted last is in order, as far as its numbers can be told from here."""
    for at, table in enumerate(page.locator("table").all()):
        sorted_by = table.locator("th[aria-sort]")
        if not sorted_by.count():
            continue
        column = sorted_by.evaluate("head => head.cellIndex")
        ends = table.locator("tbody tr.sum, tbody tr.end").count()
        cells = texts(page, column, at)
        cells = [cell for cell in cells[: len(cells) - ends] if cell not in ("", "–")]
        if cells and all(re.fullmatch(r"[-−]?[¥£]?[-−]?[\d,]+(\.\d+)?%?", cell) for cell in cells):
            figures = [(-1 if re.match(r"[-−]|[¥£][-−]", cell) else 1) * float(re.sub(r"[^\d.]", "", cell)) for cell in cells]
            assert figures == sorted(figures)


ROWS = (
    ("g10", "¥1,200", "9.5%", "2026-07-01", "July 10, 2026", "–"),
    ("g9", "−¥30", "10.0%", "2026-06-30", "August 2, 2026", "2"),
    ("g1", "¥999.5", "−1.0%", "2025-12-31", "June 30, 2026", "1.5 K"),
    ("<b>", "¥0", "100.0%", "2026-07-02", "July 9, 2026", "10"),
)
FIGURES = Report(
    "numbers", "numbers", "numbers", "", advice=Advice((text("Sort it."),)),
    sections=(
        Section("Figures", (Table(
            columns("Group", "Spend", "Share", "Day", "Date", "Some", left=(0,)),
            (*(row(each[0], Cell(each[1], small="1 to 2"), *each[2:]) for each in ROWS), row("all", "¥1", "5%", "", "", "", role="sum")),
        ),)),
        Section("Many", (Table(columns("Customer", "Number"), tuple(row(f"café {number} Ｘ{number % 3}", str(number)) for number in range(40))),)),
    ),
)  # fmt: skip


@pytest.mark.parametrize(
    ("at", "upwards", "unknown"),
    [
        (0, "<b> g1 g9 g10", ""),
        (1, "g9 <b> g1 g10", ""),
        (2, "g1 g10 g9 <b>", ""),
        (3, "g1 g9 g10 <b>", ""),
        (4, "g1 <b> g10 g9", ""),
        (5, "g9 <b> g1", "g10"),
    ],
)
def test_a_table_sorts_by_keyboard_as_its_figures_and_dates_do(opened: Callable[..., Any], at: int, upwards: str, unknown: str) -> None:
    page = opened(FIGURES)
    tab_to(page, f"th:nth-child({at + 1}) button")
    head, known, last = page.locator(f"th:nth-child({at + 1})").first, upwards.split(), [*unknown.split(), "all"]
    given = [*(each[0] for each in ROWS), "all"]
    # What is not known comes last either way, and the sum below it; a third time gives the order that was there.
    orders = (("Enter", "ascending", [*known, *last]), ("Space", "descending", [*known[::-1], *last]), ("Enter", None, given))
    for key, order, wanted in orders:
        page.keyboard.press(key)
        assert head.get_attribute("aria-sort") == order
        assert page.locator("th[aria-sort]").count() == (order is not None)
        assert texts(page, 0) == wanted


def test_a_long_table_is_searched_by_keyboard_and_printed_whole(opened: Callable[..., Any]) -> None:
    page = opened(FIGURES)
    assert page.locator("input").count() == 1  # of four rows nobody has to search any
    tab_to(page, "input[type=search]")
    assert page.locator("input").get_attribute("aria-label") == "Search: Many"
    page.keyboard.type("CAFÉ x2")
    assert texts(page, 1, 1) == [str(number) for number in range(40) if number % 3 == 2]
    assert page.locator("output").inner_text() == "13 of 40 rows"
    page.emulate_media(media="print")
    assert len(texts(page, 1, 1)) == 40
    assert not page.locator("input").is_visible()
    page.emulate_media(media="screen")
    page.locator("input").fill("")
    assert len(texts(page, 1, 1)) == 40
    assert page.locator("output").inner_text() == ""


def test_what_scrolls_is_reached_by_keyboard_on_a_telephone(opened: Callable[..., Any]) -> None:
    wide = Table(columns(*(f"a heading {number}" for number in range(9))), (row(*["1,000,000"] * 9),))
    page = opened(Report("", "", "wide", "", sections=(Section("Wide", (wide,)),)), width=390)
    tab_to(page, ".scroll[aria-label=Wide]")
    page.keyboard.press("ArrowRight")
    wait_until(page, "document.querySelector('.scroll').scrollLeft > 0")
    page.set_viewport_size({"width": 1200, "height": 900})
    wait_until(page, "!document.querySelector('.scroll').hasAttribute('tabindex')")  # one stop less where nothing scrolls


def test_a_page_is_whole_without_its_script(opened: Callable[..., Any]) -> None:
    page = opened(FIGURES, java_script_enabled=False)
    assert page.locator("th").count() == 8
    assert page.locator("tbody tr").count() == 45
    assert page.locator("button, input").count() == 0


@pytest.mark.parametrize("name", NAMES, ids=["script", "quotes", "right_to_left", "emoji", "long", "long_chinese"])
def test_a_hostile_name_is_text_everywhere_and_breaks_no_layout(name: str, opened: Callable[..., Any]) -> None:
    table = Table(
        columns(name, "Number", name, left=(0, 2)),
        tuple(row(Cell(name, small=name), str(number), name) for number in range(14)),
        title=name,
        under=(name,),
    )
    figure = Figure(charts.Bars(name, [(name, 3, "three")]), name)
    every = Report(
        name, name, name, name, topic=name, dates=(Fact(name, name, name),), advice=Advice((text(name), text(name))), caution=name, mend=name,
        tiles=tuple(Fact(name, name, name) for _ in range(5)), warnings=(name,), obstacles=(name,),
        sections=(Section(name, (text(name), table, Grid(((figure,), (table,))), Steps((text(name),)), Glossary(((name, name),), name))),),
    )  # fmt: skip
    page = opened(every)
    check_looks(page)
    assert page.title() == f"{visible(name)} · {visible(name)}"
    assert page.locator("h1").inner_text() == visible(name)
    assert page.locator("main script, img, main b b").count() == 0
    page.locator("th button").first.click()
    page.locator("input").first.fill(visible(name)[:20])
    assert len(texts(page, 0)) == 14


def test_hostile_names_of_a_shop_are_text_on_its_page(launch: Callable[..., Any], opened: Callable[..., Any]) -> None:
    allowed = [name for name in NAMES if name.isprintable()]  # the config refuses what turns the direction of writing
    agents = [{"name": name, "calls_per_day": 20} for name in allowed]
    wanted = [{"name": name, "where": f"spend > {1000 * place}"} for place, name in enumerate(allowed, 1)]
    made = launch(plan__agents=agents, personas=wanted, launch__topic=NAMES[0], launch__shop=NAMES[4])
    segments = made.plan.segments.with_columns(pl.Series("name", (NAMES * 3)[: made.plan.segments.height]))
    page = opened(launch_report(replace(made.plan, segments=segments), made.settings, made.tables.rejects))
    check_looks(page)
    assert NAMES[0] in page.locator("body").inner_text()
