"""Who may open and write a ledger, and what is said to others."""

import random
from pathlib import Path

import pytest
import sqlalchemy
from plans import held, launch, planned

from segmenter.errors import ConfigError
from segmenter.ledger import (
    LedgerError,
    list_invitations,
    list_launches,
    open_ledger,
    record_plan,
)
from segmenter.ledger import connection as opening


def test_who_waits_too_long_for_another_job_is_told(ledger, monkeypatch):
    monkeypatch.setattr(opening, "_WAIT", 0.2)
    with opening.connect_writer(ledger), pytest.raises(LedgerError, match="another job is writing it: try again when that is done"):
        record_plan(ledger, launch(), planned("a"))
    record_plan(ledger, launch(), planned("a"))


def test_a_server_that_may_not_be_written_is_told_before_any_work(postgres_url, schema_of):
    with schema_of() as url:
        record_plan(open_ledger(url, Path("results")), launch(), planned("ab"))
        read_only = sqlalchemy.make_url(url)
        options = f"{read_only.query['options']} -cdefault_transaction_read_only=on"
        read_only = read_only.update_query_dict({"options": options}).render_as_string(hide_password=False)
        with pytest.raises(LedgerError, match="read-only"):
            open_ledger(read_only, Path("results"))


DAMAGED = {
    "no version": "DELETE FROM segmenter_schema",
    "a version that is none": "UPDATE segmenter_schema SET version = 'x'",
    "no table": "DROP TABLE segmenter_answers",
    "a date that is none": "UPDATE segmenter_plans SET as_of = 'soon'",
    "a number that is none": "UPDATE segmenter_invitations SET wave = 'first'",
    "bytes": "UPDATE segmenter_invitations SET stratum = x'ff00'",
    "bytes as text": "UPDATE segmenter_invitations SET stratum = CAST(x'ff00' AS TEXT)",
}


@pytest.mark.parametrize("kind", [*DAMAGED, *range(12)])
def test_a_damaged_ledger_is_told(kind, tmp_path):
    out, file = tmp_path / "results", tmp_path / "ledger.db"
    record_plan(open_ledger(None, out), launch(), planned("ab"))
    if isinstance(kind, str):
        with held(file, [DAMAGED[kind]]):
            pass
    else:
        chance, content = random.Random(kind), bytearray(file.read_bytes())
        for place in chance.sample([place for place, byte in enumerate(content) if byte], 40):
            content[place] = chance.randrange(256)
        file.write_bytes(content)
    with pytest.raises(LedgerError) as caught:
        found = open_ledger(None, out)
        list_invitations(found), list_launches(found)
    assert len(caught.value.problems) == 1


def test_wrong_addresses_are_told_without_their_passwords(tmp_path):
    (tmp_path / "text.db").write_text("no database at all, but long enough to look for a header in it " * 20)
    wrong = {
        f"sqlite:///{tmp_path}/text.db": (LedgerError, "cannot be used (got file is not a database)"),
        f"sqlite:///{tmp_path}/text.db/x.db": (LedgerError, "cannot be written"),
        "sqlite://": (ConfigError, "should name a database file"),
        "s3cret": (ConfigError, "should be a database's URL"),
        "mysql://me:s3cret@host/shop": (ConfigError, 'got a URL of "mysql"'),
        "postgresql://me:s3cret@127.0.0.1:1/shop?password=s3cret": (
            LedgerError,
            "ledger: postgresql://me:***@127.0.0.1:1/shop cannot be used",
        ),
    }
    for url, (kind, message) in wrong.items():
        with pytest.raises(kind) as caught:
            open_ledger(url, tmp_path / "results")
        (line,) = caught.value.problems
        assert message in line
        assert "s3cret" not in line
        assert "\n" not in line
