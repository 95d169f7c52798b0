"""What a measurement proves: evidence and verdicts, exact tails, innocent networks to compare with."""

from .evidence import Evidence as Evidence
from .evidence import Suspect as Suspect
from .evidence import Verdict as Verdict
from .evidence import answers as answers
from .evidence import judge as judge
from .evidence import rank_p_value as rank_p_value
