"""The record of every invitation of every launch, and of what came of it: ids only, no contacts."""

from segmenter.errors import LedgerError as LedgerError
from segmenter.launch_record import LaunchRecord as LaunchRecord
from segmenter.ledger.basis import Basis as Basis
from segmenter.ledger.basis import check_name as check_name
from segmenter.ledger.basis import plan_on_basis as plan_on_basis
from segmenter.ledger.basis import read_basis as read_basis
from segmenter.ledger.basis import read_past_launches as read_past_launches
from segmenter.ledger.connection import Ledger as Ledger
from segmenter.ledger.connection import open_ledger as open_ledger
from segmenter.ledger.frames import ANSWERS as ANSWERS
from segmenter.ledger.queries import list_answers as list_answers
from segmenter.ledger.queries import list_held_out as list_held_out
from segmenter.ledger.queries import list_invitations as list_invitations
from segmenter.ledger.queries import list_invited as list_invited
from segmenter.ledger.queries import list_launches as list_launches
from segmenter.ledger.queries import list_members as list_members
from segmenter.ledger.queries import list_refused_for_good as list_refused_for_good
from segmenter.ledger.records import record_answers as record_answers
from segmenter.ledger.records import record_plan as record_plan
from segmenter.ledger.records import record_with_results as record_with_results
