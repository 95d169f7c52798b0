"""What makes a notebook a lesson: start, guess, ready, all_hold, quiz, challenge, show."""

from .challenges import challenge as challenge
from .claims import Claim as Claim
from .claims import all_hold as all_hold
from .claims import claim as claim
from .claims import paper_table as paper_table
from .claims import shares as shares
from .classroom.points import grade as grade
from .exercises import check as check
from .exercises import ready as ready
from .figures import show as show
from .figures import table as table
from .first_cell import start as start
from .predictions import guess as guess
from .predictions import reveal as reveal
from .quizzes import quiz as quiz
