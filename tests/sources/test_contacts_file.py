"""The private file of contacts: whole, private, and the newest phone of each."""

import os
from datetime import date
from pathlib import Path

import polars as pl
import pytest

from segmenter.errors import InputError
from segmenter.sources.contacts_file import NOTED, contacts_path, keep_contacts, newest_contacts

SHOP = pl.DataFrame({"customer_id": ["a", "b"], "name": ["Ann", "Bo"], "phone": ["1", "2"]})
DAY = date(2026, 7, 9)


def noted(*rows: tuple[str | None, str, int, bool]) -> pl.DataFrame:
    cells = [(who, None, phone, date(2026, 7, day), "a.csv", dated) for who, phone, day, dated in rows]
    return pl.DataFrame(cells, schema=NOTED, orient="row")


def shown(path: Path, shop: pl.DataFrame | None = SHOP, before: date = DAY) -> dict[str, str]:
    contacts = newest_contacts(shop, path, before)
    assert contacts is not None
    return dict(contacts.select("customer_id", "phone").rows())


def test_the_newest_phone_is_shown_and_only_from_its_day_on(tmp_path: Path) -> None:
    path = tmp_path / "new" / "contacts.csv"
    assert newest_contacts(SHOP, path, DAY) is SHOP
    keep_contacts(path, noted(("a", "+86 10", 3, True), ("a", "11", 5, True), (None, "99", 5, True)), SHOP)
    assert shown(path) == {"a": "11", "b": "2"}
    assert shown(path, before=date(2026, 7, 5)) == {"a": "+86 10", "b": "2"}
    assert shown(path, shop=None) == {"a": "11"}
    assert shown(path, shop=SHOP.drop("phone")) == {"a": "11", "b": None}
    assert path.stat().st_mode & 0o777 == 0o600
    assert os.listdir(path.parent) == ["contacts.csv"]


def test_the_same_again_changes_nothing_and_a_later_review_moves_no_day_that_nobody_gave(tmp_path: Path) -> None:
    path = tmp_path / "contacts.csv"
    keep_contacts(path, noted(("a", "10", 3, False), ("b", "20", 4, True)), SHOP)
    before = path.read_bytes()
    keep_contacts(path, noted(("b", "20", 4, True), ("a", "10", 8, False)), SHOP)
    assert path.read_bytes() == before
    keep_contacts(path, noted(("a", "1", 8, True), ("b", "20", 6, True)), SHOP)  # the old one was right
    assert shown(path) == {"a": "1", "b": "20"}


def test_a_phone_that_the_shop_changed_since_is_newer(tmp_path: Path) -> None:
    path = tmp_path / "contacts.csv"
    keep_contacts(path, noted(("a", "10", 3, True)), SHOP)
    later = SHOP.with_columns(phone=pl.Series(["7", "2"]))
    assert shown(path, later) == {"a": "7", "b": "2"}
    keep_contacts(path, noted(("a", "10", 3, True)), later)  # as the sheet is read again
    assert shown(path, later) == {"a": "7", "b": "2"}


def test_a_job_that_is_killed_while_it_writes_leaves_what_was_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "contacts.csv"
    keep_contacts(path, noted(("a", "10", 3, True)), SHOP)
    monkeypatch.setattr(os, "fsync", lambda _: (_ for _ in ()).throw(OSError("full")))
    with pytest.raises(OSError, match="full"):
        keep_contacts(path, noted(("b", "20", 3, True)), SHOP)
    assert shown(path) == {"a": "10", "b": "2"}


def test_a_file_that_is_another_is_told_and_not_written_over(tmp_path: Path) -> None:
    path = tmp_path / "contacts.csv"
    path.write_text("who,what\n1,13800000001\n")
    with pytest.raises(InputError, match=r"ledger.contacts: .* cannot be read") as raised:
        keep_contacts(path, noted(("a", "10", 3, True)), SHOP)
    assert "13800000001" not in str(raised.value)
    assert path.read_text().startswith("who")


def test_it_is_beside_the_ledger_or_where_it_is_said_to_be(tmp_path: Path) -> None:
    assert contacts_path(None, tmp_path / "l" / "ledger.db", tmp_path / "out" / "x") == tmp_path / "l" / "contacts.csv"
    assert contacts_path(None, None, tmp_path / "out" / "x") == tmp_path / "out" / "contacts.csv"
    assert contacts_path("p.csv", None, tmp_path) == Path("p.csv")
