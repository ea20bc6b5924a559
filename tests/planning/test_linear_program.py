import pytest

from segmenter.planning.linear_program import LinearProgram, solve_relaxed, solve_whole


def knapsack(low=0):
    """Three of the first or five of the second weigh 15; the first is worth 4, the second 2."""
    program = LinearProgram()
    taken = program.rows([0, 0], [0, 0])
    things = program.columns([10, 10], [4, 2])
    program.put(taken, things)
    weights = program.columns([100, 100], whole=False)
    program.put(taken, weights, [-0.2, -1 / 3])
    program.put(program.rows(low, 14), weights)
    return program, taken, things


def test_fractions_are_worth_more_than_whole_numbers_and_have_a_price():
    program, taken, things = knapsack()
    worth, prices, columns = solve_relaxed(program, taken)
    assert worth == pytest.approx(14 / 5 * 4)
    assert columns[things] == pytest.approx([2.8, 0])
    assert -prices == pytest.approx([4, 2])  # what one more that weighs nothing would gain
    whole, bound = solve_whole(program)
    assert whole[things].round().tolist() == [2, 1]
    assert bound == pytest.approx(10)


def test_what_cannot_hold_has_no_solution():
    program, taken, _ = knapsack(low=201)
    program.high[-1] = program.low[-1] + 1
    assert solve_relaxed(program, taken) is None
    assert solve_whole(program) is None
    nothing = LinearProgram()
    nothing.rows([1], [2])
    assert solve_whole(nothing) is None


def test_a_copy_can_be_added_to():
    program, _, things = knapsack()
    other = program.copy()
    other.put(other.rows(0, 1), things)
    assert program.height == other.height - 1
    assert solve_whole(other)[1] == pytest.approx(4)
