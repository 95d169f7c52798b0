"""What a network, or a service, tells about the data it was trained on."""

from .inversion import invert as invert
from .inversion import likeness as likeness
from .inversion import likest as likest
from .membership import auc as auc
from .membership import caught as caught
from .membership import losses as losses
from .membership import membership_p_values as membership_p_values
