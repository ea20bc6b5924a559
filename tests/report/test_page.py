from pages import Page, check_page

from segmenter.report import charts
from segmenter.report.page import render_page
from segmenter.report.sections import (
    Advice,
    Cell,
    Code,
    Column,
    Fact,
    Figure,
    Glossary,
    Grid,
    Key,
    Report,
    Section,
    Square,
    Squares,
    Steps,
    Strong,
    Table,
    columns,
    note,
    row,
    text,
)

HOSTILE = "<script>alert(1)</script>\u202e"
TABLE = Table(
    (Column("name", "left"), Column("1%", over="share"), Column("5%", over="share"), Column("x", mark="current", mark_text="in use")),
    (
        row(HOSTILE, Cell("1", small="0 to 2"), Cell("2", part=0.5, start=0.25, mark_at=0.75), Cell("3", trend="up"), role="now"),
        row("all", "1", "2", "3", role="sum"),
    ),
    title="A table",
    look="dense",
    under=("a note below",),
)
SQUARES = Squares("Days", (Square((0, 0), "1", "12", "event", 0.5, framed=True), Square((1, 0), "2", pale=True)), ("Mon", "Tue"))
WHOLE = Report(
    kind="test report",
    eyebrow="A report of every shape",
    name=HOSTILE,
    topic="tea & more",
    dates=(Fact("As of", "July 1", "(not counted)"),),
    advice=Advice((text("Do this."), note("Because.")), "attention"),
    tiles=tuple(Fact(f"figure {number}", str(number), "of all") for number in range(4)),
    caution="Before you go on",
    warnings=("a <warning>",),
    sections=(
        Section("Text", (text("run ", Code("segmenter launch"), " by ", Strong("Friday")), note("in grey"))),
        Section("Tables", (Grid(((TABLE,), (TABLE, text("below")))), Grid(((TABLE,),), "cards")), brief=(text("C000001"),)),
        Section(
            "Chart", (Figure(charts.Bars("Orders", [("a", 3, "three")]), "Orders", (Key("list", charts.STRONG),)), SQUARES), whole=False
        ),
        Section("Rest", (Steps((text("first"), text("second"))), Glossary((("word", "meaning"),), "Words"))),
        Section(brief=(text("C000002"),)),
    ),
    footer="the end",
)


def test_every_shape_of_block_is_rendered() -> None:
    page = render_page(WHOLE, "en")
    assert {"h1", "h2", "h3", "table", "svg", "ol", "dl", "code", "b", "footer"} <= Page(page).tags
    check_page("every_shape", page)


def test_nothing_of_a_shop_becomes_markup_or_steers() -> None:
    page = render_page(WHOLE, "zh")
    assert page.count("<script") == 1
    assert "\u202e" not in page
    assert '<html lang="zh-CN">' in page


def test_what_is_for_the_terminal_is_not_on_the_page() -> None:
    page = render_page(WHOLE, "en")
    assert "C000001" not in page
    assert "C000002" not in page
    assert page.count("<section") == 4


def test_headings_of_several_columns_cover_them() -> None:
    assert 'class="over" colspan="2">share' in render_page(WHOLE, "en")
    plain = Table(columns("a", "b"), (row("1", "2"),))
    assert "colspan" not in render_page(Report("", "", "", "", sections=(Section("", (plain,)),)), "en")
