"""The ledger's tables, and the steps that bring an older ledger up to date without losing anything.

A ledger says in ``segmenter_schema`` which version it has; all steps from there on are one transaction. A step, once released,
never changes: it makes what it made then. No table holds a name, a phone number or any other contact.
"""

from functools import cache
from typing import TYPE_CHECKING, Any

from segmenter.errors import LedgerError
from segmenter.messages import Message

if TYPE_CHECKING:
    from sqlalchemy import Connection, MetaData, Table
    from sqlalchemy.types import TypeEngine

PENDING, PLANNED = "pending", "planned"
# What an invitation is: the columns that plans and answers share.
SNAPSHOT = ("status", "planned_at", "wave", "group", "agent", "score", "stratum", "region", "segment", "channel", "brings")
_LATER = ("region", "segment", "channel")  # came with the third version, and with the fifth


@cache
def tables() -> "MetaData":
    """Describe the tables as the newest version has them."""
    from sqlalchemy import BigInteger, Column, Date, Double, Integer, MetaData, String, Table

    known = MetaData()
    Table("segmenter_schema", known, Column("version", Integer))
    Table(
        "segmenter_plans",
        known,
        Column("id", Integer, primary_key=True),
        *(Column(name, String) for name in ("launch", "community")),
        Column("as_of", Date),
        Column("horizon_days", Integer),
        Column("ends_on", Date),
        Column("target", BigInteger),
        *(Column(name, String) for name in ("currency", "settings", "state", "token", "place")),
        Column("holdout", Double),
    )

    def invitation() -> list[Column[Any]]:
        types: dict[str, TypeEngine[Any]] = {"planned_at": Date(), "wave": Integer(), "score": Double()}
        return [Column(name, types.get(name, String())) for name in SNAPSHOT if name not in (*_LATER, "brings")]

    def later() -> list[Column[Any]]:
        return [Column(name, String) for name in _LATER]

    Table(
        "segmenter_invitations",
        known,
        Column("plan", Integer),
        Column("customer_id", String),
        *invitation(),
        *later(),
        Column("brings", Double),
    )
    Table(
        "segmenter_answers",
        known,
        Column("launch", String),
        Column("number", Integer),
        *(Column(name, String) for name in ("customer_id", "answer")),
        Column("answered_on", Date),
        Column("source", String),
        *invitation(),
        Column("reason", String),
        *later(),
        Column("call_on", Date),
        *(Column(name, Integer) for name in ("hour", "attempts")),
        Column("brings", Double),
        Column("brought_by", String),
    )
    return known


def table(name: str) -> "Table":
    """Describe one table: ``plans``, ``invitations`` or ``answers``."""
    return tables().tables[f"segmenter_{name}"]


_INVITATION = """
    planned_at DATE{needed}, wave INTEGER, "group" TEXT, agent TEXT, score DOUBLE PRECISION, stratum TEXT"""


def _first(connection: "Connection") -> None:
    # Without rows of their own SQLite keeps a plan's invitations together, by customer.
    together = " WITHOUT ROWID" if connection.dialect.name == "sqlite" else ""
    connection.exec_driver_sql("CREATE TABLE segmenter_schema (version INTEGER NOT NULL)")
    connection.exec_driver_sql("INSERT INTO segmenter_schema VALUES (0)")
    connection.exec_driver_sql(
        """CREATE TABLE segmenter_plans (
        id INTEGER NOT NULL PRIMARY KEY, launch TEXT NOT NULL, community TEXT NOT NULL, as_of DATE NOT NULL,
        horizon_days INTEGER NOT NULL, ends_on DATE NOT NULL, target BIGINT, currency TEXT NOT NULL, settings TEXT NOT NULL,
        state TEXT NOT NULL, token TEXT, place TEXT, UNIQUE (launch, state))"""
    )
    connection.exec_driver_sql(
        f"""CREATE TABLE segmenter_invitations (
        plan INTEGER NOT NULL, customer_id TEXT NOT NULL, status TEXT NOT NULL,{_INVITATION.format(needed=" NOT NULL")},
        PRIMARY KEY (plan, customer_id)){together}"""
    )
    # The invitation as it was when the answer came stays with it, so that no later plan can change what was answered to.
    connection.exec_driver_sql(
        f"""CREATE TABLE segmenter_answers (
        launch TEXT NOT NULL, number INTEGER NOT NULL, customer_id TEXT NOT NULL, answer TEXT NOT NULL, answered_on DATE NOT NULL,
        source TEXT NOT NULL, status TEXT,{_INVITATION.format(needed="")}, PRIMARY KEY (launch, number)){together}"""
    )


def _second(connection: "Connection") -> None:
    connection.exec_driver_sql("ALTER TABLE segmenter_answers ADD COLUMN reason TEXT")


def _third(connection: "Connection") -> None:
    for name in ("invitations", "answers"):
        for column in ("region", "segment"):
            connection.exec_driver_sql(f"ALTER TABLE segmenter_{name} ADD COLUMN {column} TEXT")


def _fourth(connection: "Connection") -> None:
    connection.exec_driver_sql("ALTER TABLE segmenter_plans ADD COLUMN holdout DOUBLE PRECISION")


def _fifth(connection: "Connection") -> None:
    for name in ("invitations", "answers"):
        connection.exec_driver_sql(f"ALTER TABLE segmenter_{name} ADD COLUMN channel TEXT")


def _sixth(connection: "Connection") -> None:
    for column, kind in (("call_on", "DATE"), ("hour", "INTEGER"), ("attempts", "INTEGER")):
        connection.exec_driver_sql(f"ALTER TABLE segmenter_answers ADD COLUMN {column} {kind}")
    # Until here whatever was neither a yes nor a no was one answer, and its reason said which.
    for reason, answer in (
        ("will join", "agreed"),
        ("undecided", "thinking"),
        ("not joined", "thinking"),
        ("wrong number", "wrong_number"),
    ):
        connection.exec_driver_sql(
            f"UPDATE segmenter_answers SET answer = '{answer}', reason = NULL WHERE answer = 'no_answer' AND reason = '{reason}'"
        )
    connection.exec_driver_sql("UPDATE segmenter_answers SET answer = 'not_reached', reason = NULL WHERE answer = 'no_answer'")


def _seventh(connection: "Connection") -> None:
    for name in ("invitations", "answers"):
        connection.exec_driver_sql(f"ALTER TABLE segmenter_{name} ADD COLUMN brings DOUBLE PRECISION")
    connection.exec_driver_sql("ALTER TABLE segmenter_answers ADD COLUMN brought_by TEXT")


_STEPS = (_first, _second, _third, _fourth, _fifth, _sixth, _seventh)
VERSION = len(_STEPS)


def version_of(connection: "Connection") -> int:
    """Read which version a ledger has; 0 where there is no ledger yet. One that is newer than this program is refused."""
    from sqlalchemy import inspect, select

    if not inspect(connection).has_table("segmenter_schema"):
        return 0
    version = connection.execute(select(tables().tables["segmenter_schema"].c.version)).scalar()
    if not isinstance(version, int):
        said = "ledger: is damaged, it should say its version (got {version}); put back a copy of it"
        raise LedgerError(Message("ledger.no_version", said, version=repr(version)))
    if version > VERSION:
        said = "ledger: should be of version {newest} or older (got {version}); use the newer segmenter that wrote it"
        raise LedgerError(Message("ledger.too_new", said, newest=VERSION, version=version))
    return version


def upgrade(connection: "Connection", to: int = VERSION) -> None:
    """Bring a ledger up to date, as its only writer; all or nothing, as its caller's transaction is."""
    from sqlalchemy import update

    version = version_of(connection)
    if version >= to:
        return
    for step in _STEPS[version:to]:
        step(connection)
    connection.execute(update(tables().tables["segmenter_schema"]).values(version=to))
