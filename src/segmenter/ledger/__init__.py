"""The record of every invitation of every launch, and of what came of it: ids only, no contacts."""

from segmenter.errors import LedgerError as LedgerError
from segmenter.ledger.basis import Basis as Basis
from segmenter.ledger.basis import basis_of as basis_of
from segmenter.ledger.basis import check_name as check_name
from segmenter.ledger.basis import past_launches as past_launches
from segmenter.ledger.basis import planned_on_basis as planned_on_basis
from segmenter.ledger.connection import Ledger as Ledger
from segmenter.ledger.connection import open_ledger as open_ledger
from segmenter.ledger.frames import ANSWERS as ANSWERS
from segmenter.ledger.queries import answers as answers
from segmenter.ledger.queries import held_out as held_out
from segmenter.ledger.queries import invited as invited
from segmenter.ledger.queries import launches as launches
from segmenter.ledger.queries import members as members
from segmenter.ledger.queries import people as people
from segmenter.ledger.queries import refused_for_good as refused_for_good
from segmenter.ledger.records import Imported as Imported
from segmenter.ledger.records import Launch as Launch
from segmenter.ledger.records import record_answers as record_answers
from segmenter.ledger.records import record_plan as record_plan
from segmenter.ledger.records import recorded as recorded
