"""What a measurement proves: evidence and verdicts, exact tails, decoys, networks to compare with; and what
weights and errors prove where nothing was planted.
"""

from . import independence as independence
from . import lots as lots
from . import siblings as siblings
from . import splits as splits
from .evidence import NO_ANSWER as NO_ANSWER
from .evidence import Evidence as Evidence
from .evidence import Null as Null
from .evidence import Rank as Rank
from .evidence import Suspect as Suspect
from .evidence import Verdict as Verdict
from .evidence import against_bystanders as against_bystanders
from .evidence import answers as answers
from .evidence import ask as ask
from .evidence import judge as judge
from .evidence import rank_p_value as rank_p_value
from .independence import independence_p_value as independence_p_value
from .significance import against_decoys as against_decoys
from .significance import against_keys as against_keys
from .significance import decoy_p_value as decoy_p_value
from .significance import decoys as decoys
from .splits import split_p_value as split_p_value
