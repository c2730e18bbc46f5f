"""One unit of work, whole: every room's part of it on one connection."""

from __future__ import annotations

from storage.audiences import AudienceRows
from storage.ballots import BallotRows
from storage.concerns import ConcernRows
from storage.days import DayRows
from storage.desk import DeskRows
from storage.dispositions import DispositionRows
from storage.foresight import ForesightRows
from storage.forgetting import ForgettingRows
from storage.media import MediaRows
from storage.paradata import ParadataRows
from storage.scores import ScoreRows
from storage.visits import VisitRows


class SqlTransaction(
    ForesightRows,
    AudienceRows,
    BallotRows,
    ConcernRows,
    DayRows,
    DeskRows,
    DispositionRows,
    ForgettingRows,
    MediaRows,
    ParadataRows,
    ScoreRows,
    VisitRows,
):
    """Implements the Transaction protocols of surveys, concerns, evaluation and desk."""

    __slots__ = ()
