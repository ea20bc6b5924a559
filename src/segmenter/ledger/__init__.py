"""The record of every invitation of every launch, and of what came of it: ids only, no contacts."""

from segmenter.errors import LedgerError as LedgerError
from segmenter.ledger.opening import Ledger as Ledger
from segmenter.ledger.opening import open_ledger as open_ledger
from segmenter.ledger.precedents import Basis as Basis
from segmenter.ledger.precedents import basis_of as basis_of
from segmenter.ledger.precedents import check_name as check_name
from segmenter.ledger.precedents import past_launches as past_launches
from segmenter.ledger.precedents import planned_on_basis as planned_on_basis
from segmenter.ledger.reading import answers as answers
from segmenter.ledger.reading import held_out as held_out
from segmenter.ledger.reading import invited as invited
from segmenter.ledger.reading import launches as launches
from segmenter.ledger.reading import members as members
from segmenter.ledger.reading import people as people
from segmenter.ledger.reading import refused_for_good as refused_for_good
from segmenter.ledger.rows import ANSWERS as ANSWERS
from segmenter.ledger.writing import Imported as Imported
from segmenter.ledger.writing import Launch as Launch
from segmenter.ledger.writing import record_answers as record_answers
from segmenter.ledger.writing import record_plan as record_plan
from segmenter.ledger.writing import recorded as recorded
