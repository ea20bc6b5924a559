"""The days of calls, one after the other: who is called by whom on each."""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from heapq import heapify, heappop, heappush, heapreplace
from itertools import groupby

import numpy as np

from segmenter.planning.workload import Ints, balance

_DAY = timedelta(days=1)
_AHEAD = 100  # days that loads are looked at for
_PARTS = 1_000  # of a call: parts of days are as exact as that


@dataclass(frozen=True)
class Queue:
    """Customers as they are to be called: by wave, then by rank.

    Each has a wave, an account or None (two of one account are not called on one day), and a cell: customers of one kind, wave and group.
    Each cell, ascending, has a kind (customers of one region whom the same agents can call) and the wave; each kind has its callers: the
    numbers of the agents who can call them, none where nobody can.
    """

    waves: Sequence[int]
    accounts: Sequence[int | None]
    cells: Sequence[int]
    kinds: Sequence[tuple[int, int]]
    callers: Sequence[tuple[int, ...]]


def dispatch(
    queue: Queue,
    calls: Callable[[date], Sequence[int]],
    first_days: Mapping[int, date],
    last_days: Mapping[int, date],
) -> tuple[list[int], list[date]]:
    """Give each customer the number of an agent and a day.

    `calls` says how many calls each agent makes on a day, and last how many are made by nobody in particular: whom no agent can call gets
    that number, and the first day of the wave that their account allows. The first day of each wave has calls, and none lies before that
    of an earlier wave. Calls fill the days evenly until the last day of a wave where it has one, else they are made as early as can be.
    Loads are measured by the calls that agents have until then, or until all could be done, and shared out anew when who is there changes.
    """
    if not (many := len(queue.waves)):
        return [], []
    nobody = len(calls(min(first_days.values()))) - 1
    agents, days = [nobody] * many, [date.min] * many
    starts: dict[date, list[int]] = defaultdict(list)
    for customer, wave in enumerate(queue.waves):
        starts[first_days[wave]].append(customer)
    coming = sorted(starts, reverse=True)
    lines: dict[int, list[_Line]] = {}
    waiting = np.zeros(len(queue.kinds), dtype=np.int64)  # in each cell
    quotas: list[dict[int, int]] = []
    day, left, last = date.min, 0, date.min
    present: Sequence[int] = ()
    while coming or left:
        day = day + _DAY if left else coming[-1]
        limits = calls(day)
        if not any(limits):
            continue
        begun = starts[coming.pop()] if coming and day == coming[-1] else []
        if begun:
            lines |= _line_up(begun, queue)
            np.add.at(waiting, [queue.cells[customer] for customer in begun], 1)
            left += len(begun)
            last = max(last_days.get(queue.waves[customer], date.min) for customer in (begun[0], begun[-1]))
        if begun or limits != present:
            quotas, present = _quotas(waiting, queue, _capacity_ahead(calls, day, last, left)), limits
        paced = _pace(quotas, [calls(day + number * _DAY) for number in range((last - day).days + 1)]) if last >= day else limits
        for customer, agent in _call_day(lines, quotas, paced, queue.accounts):
            agents[customer], days[customer] = agent, day
            waiting[queue.cells[customer]] -= 1
            left -= 1
        lines = {cell: waiting_here for cell, waiting_here in lines.items() if waiting_here}
    return agents, days


def _capacity_ahead(calls: Callable[[date], Sequence[int]], day: date, last: date, left: int) -> Ints:
    """Give what the agents' calls until the last day are to each other, or until there are enough for who is left."""
    end, rows = day + _AHEAD * _DAY, [calls(day)]
    agents = max(len(rows[0]) - 1, 1)  # nobody in particular counts where there is nobody else
    many = sum(rows[0][:agents])
    while day < end and (day < last or many < left):
        day += _DAY
        if any(calls(day)):
            rows.append(calls(day))
            many += sum(rows[-1][:agents])
    table = np.array(rows, dtype=np.int64)[:, :-1]
    if (table == table[0]).all():
        return np.asarray(table[0])
    table *= _PARTS
    if 0 < (spare := many - left) < sum(rows[-1][:agents]):  # of the last day only a part is needed
        table[-1] -= table[-1] * spare // sum(rows[-1][:agents])
    return np.asarray(table.sum(axis=0))


def _pace(quotas: list[dict[int, int]], ahead: list[Sequence[int]]) -> list[int]:
    """Say how many each calls on the first of the days ahead so that what is theirs fills all of them evenly."""
    theirs = [0] * len(ahead[0])
    for quota in quotas:
        for agent, calls in quota.items():
            theirs[agent] += calls
    totals = [max(sum(of_agent), 1) for of_agent in zip(*ahead, strict=True)]
    return [min(most, -(-mine * most // total)) for mine, most, total in zip(theirs, ahead[0], totals, strict=True)]


_Line = tuple[int, list[int]]  # the first of some customers, and the others, next one last: only the first may be called today


def _line_up(customers: list[int], queue: Queue) -> dict[int, list[_Line]]:
    """Line customers up by cell: those of one account one after the other, all else side by side, as a heap."""
    lines: dict[int, list[_Line]] = defaultdict(list)
    behind: dict[tuple[int, int], list[int]] = {}
    for customer in customers:
        cell, account = queue.cells[customer], queue.accounts[customer]
        if account is None:
            lines[cell].append((customer, []))
        elif (others := behind.get((cell, account))) is not None:
            others.append(customer)
        else:
            behind[cell, account] = []
            lines[cell].append((customer, behind[cell, account]))
    for others in behind.values():
        others.reverse()
    return lines


def _quotas(waiting: Ints, queue: Queue, capacity: Ints) -> list[dict[int, int]]:
    """Say how many of each cell each agent calls, by the calls that each has ahead."""
    serves = np.zeros((len(queue.callers), len(capacity)), dtype=bool)
    for kind, callers in enumerate(queue.callers):
        serves[kind, list(callers)] = True
    # Who is off all the time has only whom nobody else can call.
    there = serves & (capacity > 0)
    serves = np.where(there.any(axis=1, keepdims=True), there, serves)
    customers = np.zeros(len(queue.callers), dtype=np.int64)
    np.add.at(customers, [kind for kind, _ in queue.kinds], waiting)
    some = np.flatnonzero(serves.any(axis=1) & (customers > 0))
    calls = np.zeros(serves.shape, dtype=np.int64)
    if len(some):
        calls[some] = balance(customers[some], serves[some], np.maximum(capacity, 1))
    # Whom nobody can call comes last.
    shares = np.column_stack([calls, customers - calls.sum(axis=1)])
    quotas: list[dict[int, int]] = []
    for (kind, _), cells in groupby(zip(queue.kinds, waiting.tolist(), strict=True), key=lambda cell: cell[0]):
        needed = [here for _, here in cells]
        part = _wave_part(shares[kind], sum(needed))
        shares[kind] -= part
        quotas += _fill_cells(needed, part.tolist())
    return quotas


def _wave_part(shares: Ints, customers: int) -> Ints:
    """Take a wave's customers from the agents' shares in proportion: all agents call earlier waves first."""
    whole, rest = np.divmod(shares * customers, max(int(shares.sum()), 1))
    whole[np.argsort(-rest, kind="stable")[: customers - int(whole.sum())]] += 1
    return np.asarray(whole)


def _fill_cells(needed: list[int], shares: list[int]) -> list[dict[int, int]]:
    """Fill cell after cell, agent after agent, so that few cells are parted."""
    quotas = []
    for customers in needed:
        quota: dict[int, int] = {}
        for agent, share in enumerate(shares):
            if taken := min(share, customers - sum(quota.values())):
                quota[agent] = taken
                shares[agent] -= taken
        quotas.append(quota)
    return quotas


def _call_day(
    lines: dict[int, list[_Line]], quotas: list[dict[int, int]], limits: Sequence[int], accounts: Sequence[int | None]
) -> list[tuple[int, int]]:
    """Call the best who wait, for as long as agents have calls left for them; what is left stays in the lines and quotas."""
    left, busy = list(limits), set()
    done: list[tuple[int, int]] = []
    tomorrow: list[tuple[int, _Line]] = []
    heads = [(line[0][0], cell) for cell, line in lines.items()]
    heapify(heads)
    while heads:
        _, cell = heads[0]
        quota, ahead = quotas[cell], lines[cell]
        agent = max((agent for agent, calls in quota.items() if calls and left[agent]), key=left.__getitem__, default=None)
        if agent is None:
            heappop(heads)
            continue
        customer, others = heappop(ahead)
        if (account := accounts[customer]) in busy:
            tomorrow.append((cell, (customer, others)))
        else:
            done.append((customer, agent))
            quota[agent] -= 1
            left[agent] -= 1
            if account is not None:
                busy.add(account)
            if others:
                tomorrow.append((cell, (others.pop(), others)))
        if ahead:
            heapreplace(heads, (ahead[0][0], cell))
        else:
            heappop(heads)
    for cell, line in tomorrow:
        heappush(lines[cell], line)
    return done
