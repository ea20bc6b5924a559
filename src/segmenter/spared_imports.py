"""Imports without what is not used of them, which with some libraries takes three times as long to load as what is."""

import sys
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from importlib import import_module
from importlib.util import find_spec, module_from_spec
from types import ModuleType
from typing import Any


class _Later:
    """A function or class of a module, which is loaded when it is used."""

    def __init__(self, module: str, name: str) -> None:
        self.module, self.name = module, name

    def __getattr__(self, name: str) -> Any:
        return getattr(self._found(), name)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self._found()(*args, **kwargs)

    def _found(self) -> Any:
        if isinstance(sys.modules.get(self.module), _LaterModule):
            del sys.modules[self.module]
        return getattr(import_module(self.module), self.name)


class _LaterModule(ModuleType):
    def __getattr__(self, name: str) -> _Later:
        if name.startswith("__"):
            raise AttributeError(name)
        return _Later(self.__name__, name)


@contextmanager
def spared(*, later: Collection[str] = (), absent: Collection[str] = (), bare: Collection[str] = ()) -> Iterator[None]:
    """Import within what needs some modules for a few functions only, which load these when they are called.

    Those `absent` are taken for not installed; of packages that are `bare`, parts can be imported, and not all that they gather. What is
    loaded already stays; all is as ever afterwards.
    """
    made: dict[str, Any] = {}
    for name in (*later, *absent, *bare):
        if name not in sys.modules:
            made[name] = _LaterModule(name) if name in later else None if name in absent else _bare(name)
            sys.modules[name] = made[name]
    try:
        yield
    finally:
        for name, stand_in in made.items():
            if sys.modules.get(name, stand_in) is stand_in:
                sys.modules.pop(name, None)


def _bare(name: str) -> ModuleType:
    spec = find_spec(name)
    assert spec is not None
    return module_from_spec(spec)
