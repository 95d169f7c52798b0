"""A court: sealed cases with a hidden truth, what can be opened for minutes and queries, rulings, and what
they are worth. Every test of the course may be applied to what is opened.
"""

from . import dossiers as dossiers
from .dealing import Truth as Truth
from .desks import Desk as Desk
from .desks import Ruling as Ruling
from .filings import Filing as Filing
from .filings import Licence as Licence
from .filings import Papers as Papers
from .filings import is_licensed as is_licensed
from .opinions import Opinion as Opinion
from .opinions import first_to_release as first_to_release
from .opinions import hearing as hearing
from .seals import Opening as Opening
from .sittings import FALSE_CONVICTION as FALSE_CONVICTION
from .sittings import Court as Court
from .sittings import Judgement as Judgement
from .sittings import Revealed as Revealed
from .sittings import Score as Score
from .sittings import SealedCase as SealedCase
from .sittings import accused as accused
from .sittings import court as court
from .sittings import judgement as judgement
from .sittings import papers as papers
from .sittings import reveal as reveal
from .sittings import rule as rule
from .sittings import score as score
from .sittings import siblings as siblings
