"""`segmenter init` as a command: a file that a launch runs on, questions and their keys, and nothing overwritten."""

import json

import pytest
from jobs import run_here

from segmenter.guesses.guess import Question
from segmenter.messages import Message
from segmenter.report import init_questions
from segmenter.report.experiment_file import experiment_path
from segmenter.report.init_questions import as_answer

QUIET = ("tracking=none", "ledger.use=false", "plan.size=all", "plan.holdout=0", "rules.recency.max_days=null")


@pytest.fixture
def shop(tmp_path):
    rows = [
        f"B{at},K{at % 12},2026-0{1 + at % 6}-1{at % 9} 10:00:00,{at + 10}.50,{'storniert' if at % 10 == 9 else 'bezahlt'}"
        for at in range(60)
    ]
    (tmp_path / "bestellungen.csv").write_text(
        "\n".join(["Bestellnummer,Kundennummer,Bestelldatum,Gesamtbetrag (EUR),Status", *rows]), encoding="utf-8"
    )
    return tmp_path


@pytest.mark.slow
def test_what_is_written_runs_as_it_stands(shop):
    done = run_here("init", "paths=[bestellungen.csv]", cwd=shop)
    path = shop / "my_conf" / "experiment" / "bestellungen.yaml"
    assert done.stdout.strip() == "my_conf/experiment/bestellungen.yaml"
    text = path.read_text(encoding="utf-8")
    assert 'currency: "EUR"  # as the header "Gesamtbetrag (EUR)" says' in text
    assert "storniert (6)" in text
    run_here("launch", "--config-dir", "my_conf", "+experiment=bestellungen", "out=results", *QUIET, cwd=shop)
    manifest = json.loads((shop / "results" / "manifest.json").read_text(encoding="utf-8"))
    assert manifest["inputs"]["orders"]["kept"] == 54
    assert manifest["config"]["launch"]["as_of"] == "2026-06-19"


def test_it_never_overwrites(shop):
    path = experiment_path(shop / "my_conf", "bestellungen")
    path.parent.mkdir(parents=True)
    path.write_text("mine", encoding="utf-8")
    said = run_here("init", "paths=[bestellungen.csv]", cwd=shop, code=2).stderr
    assert "never overwrites" in said
    assert path.read_text(encoding="utf-8") == "mine"
    assert "overwrite: should be false" in run_here("init", "paths=[bestellungen.csv]", "overwrite=true", cwd=shop, code=2).stderr


@pytest.mark.slow
def test_without_a_terminal_the_keys_that_answer_are_said(shop):
    text = (shop / "bestellungen.csv").read_text(encoding="utf-8").replace("Gesamtbetrag (EUR)", "x").replace("Kundennummer", "y")
    (shop / "odd.csv").write_text(text, encoding="utf-8")
    said = run_here("init", "paths=[odd.csv]", cwd=shop, code=2).stderr
    assert "answers.orders.customer_id: which column of odd.csv says whose an order is?" in said
    assert not (shop / "my_conf").exists()
    done = run_here("init", "paths=[odd.csv]", "answers.orders.customer_id=y", "answers.orders.amount=x", "answers.currency=CHF", cwd=shop)
    written = (shop / "my_conf" / "experiment" / "odd.yaml").read_text(encoding="utf-8")
    assert 'customer_id: "y"  # as answers.orders.customer_id says' in written
    assert 'currency: "CHF"' in written
    assert "currency" not in done.stderr


@pytest.mark.slow
def test_what_is_assumed_is_said_in_the_language_of_the_user(shop):
    text = (shop / "bestellungen.csv").read_text(encoding="utf-8").replace(" (EUR)", "")
    (shop / "ohne.csv").write_text(text, encoding="utf-8")
    done = run_here("init", "paths=[ohne.csv]", "lang=zh", cwd=shop)
    assert "暂按 EUR" in done.stderr
    written = (shop / "my_conf" / "experiment" / "ohne.yaml").read_text(encoding="utf-8")
    assert "lang: zh" in written
    assert "按列名识别" in written


@pytest.mark.slow
def test_on_a_terminal_it_asks(shop, monkeypatch):
    text = (shop / "bestellungen.csv").read_text(encoding="utf-8").replace("Kundennummer", "y")
    (shop / "odd.csv").write_text(text, encoding="utf-8")
    asked = []

    def answer(question, lang):
        asked.append(question.key)
        return {"orders.customer_id": "y"}.get(question.key, question.otherwise)

    monkeypatch.setattr(init_questions, "is_asked", lambda: True)
    monkeypatch.setattr(init_questions, "ask", answer)
    run_here("init", "paths=[odd.csv]", cwd=shop)
    assert asked[0] == "orders.customer_id"


def test_an_answer_may_be_a_number_of_the_list():
    question = Question("orders.left_out", Message("init.none", "none"), ("open", "void"))
    assert as_answer(question, "2, open") == ["void", "open"]
    assert as_answer(Question("orders.amount", question.text, ("a", "b")), "1") == "a"
    assert as_answer(Question("orders.amount", question.text, ("a", "b")), "a * b") == "a * b"


def test_keys_that_init_does_not_know_are_said(shop):
    said = run_here("init", "paths=[bestellungen.csv]", "+answers.orders.amuont=x", cwd=shop, code=2).stderr
    assert "answers.orders.amuont: is no key; nearest: amount" in said
    assert "paths" in run_here("init", cwd=shop, code=2).stderr
