import copy
import pickle

from hypothesis import given
from hypothesis import strategies as st

from segmenter.messages import Message

FACTS = st.one_of(st.integers(), st.text(), st.lists(st.integers()).map(tuple))


@given(FACTS)
def test_a_message_is_its_sentence_and_survives_being_copied(fact):
    message = Message("area.what", "so it is: {fact}", fact=fact)
    for other in (pickle.loads(pickle.dumps(message)), copy.deepcopy(message)):
        assert (other, other.code, other.facts) == (message, "area.what", {"fact": fact})
