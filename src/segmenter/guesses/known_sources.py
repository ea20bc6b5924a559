"""The systems whose exports are known, recognised by their headers: the files of ``conf/source/``."""

from dataclasses import dataclass
from functools import cache
from typing import Any

from segmenter import sql
from segmenter.guesses.guess import Draft
from segmenter.home import HOME
from segmenter.messages import Message

_NEEDED = ("customer_id", "order_id", "time", "amount")  # an export that lacks one of their columns is another


@dataclass(frozen=True)
class KnownSource:
    """An export that is known: how its orders are read."""

    name: str  # of its file in ``conf/source/``
    orders: dict[str, Any]
    launch: dict[str, Any]

    @property
    def columns(self) -> dict[str, str]:
        """The columns or SQL of the fields."""
        return dict(self.orders["columns"])

    def needs(self) -> set[str]:
        """List the columns without which it is not this export."""
        expressions = [self.columns[field] for field in _NEEDED] + [self.orders[key] for key in ("where", "refund") if key in self.orders]
        return {name for expression in expressions for name in columns_in(expression, self.columns.values())}


def columns_in(expression: str, names: "Any" = ()) -> list[str]:
    """List the columns of a mapping: a name as it stands, or those in SQL."""
    plain = expression in names and not any(sign in expression for sign in '"()+*')
    return [expression] if plain else list(dict.fromkeys(sql.expression(expression).meta.root_names()))


@cache
def known_sources() -> tuple[KnownSource, ...]:
    """Read all that is known."""
    from omegaconf import OmegaConf

    found = []
    for path in sorted((HOME / "conf" / "source").glob("*.yaml")):
        config: Any = OmegaConf.to_container(OmegaConf.load(path), resolve=False)
        if "columns" not in config["data"]["orders"]:
            continue  # builds on another
        found.append(KnownSource(path.stem, config["data"]["orders"], config.get("launch", {})))
    return tuple(found)


def recognise(columns: list[str]) -> KnownSource | None:
    """Find the system that wrote a header: of several the one that needs most of its columns."""
    fitting = [source for source in known_sources() if source.needs() <= set(columns)]
    return max(fitting, key=lambda source: len(source.needs()), default=None)


def take_source(source: KnownSource, columns: list[str], found: Draft) -> dict[str, str]:
    """Take what is known of a system's export, as far as the file has the columns; give the fields."""
    why = Message("init.known_source", "as {system} exports it (conf/source/{system}.yaml)", system=source.name)
    taken = {}
    for name, mapping in source.columns.items():
        if set(columns_in(mapping, source.columns.values())) <= set(columns) and found.answer(f"orders.{name}") is None:
            found.take(f"data.orders.columns.{name}", mapping, why)
            taken[name] = mapping
    return taken
