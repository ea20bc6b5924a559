from hypothesis import given
from hypothesis import strategies as st

from segmenter.planning.group_kinds import MOST_SIZES, list_sizes


@given(st.integers(1, 500), st.integers(0, 119))
def test_any_number_of_customers_can_be_made_up_of_two_groups_where_sizes_are_not_too_far_apart(smallest, more):
    sizes = list_sizes(smallest, smallest + more)
    assert sizes[0] == smallest
    assert sizes[-1] == smallest + more
    assert len(sizes) <= MOST_SIZES
    assert {one + other for one in sizes.tolist() for other in sizes.tolist()} == set(range(2 * smallest, 2 * (smallest + more) + 1))
