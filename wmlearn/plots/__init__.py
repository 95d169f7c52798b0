"""The pictures, a file a topic. Each is a function (data, ax=None) -> ax, with a sentence that says the same,
computed from the data.
"""

from . import court as court
from . import detection as detection
from . import digits as digits
from . import intake as intake
from . import keys as keys
from . import names as names
from . import origins as origins
from . import ownership as ownership
from . import poison as poison
from . import removal as removal
from . import signs as signs
from . import sound as sound
from . import street as street
from . import tables as tables
from . import theft as theft
from . import transfer as transfer
from . import weights as weights
from . import words as words
