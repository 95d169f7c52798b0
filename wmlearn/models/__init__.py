"""The papers' networks, and those that ship trained."""

from .hooks import listening as listening
from .networks import SIGN_HEAD as SIGN_HEAD
from .networks import badnet_cnn as badnet_cnn
from .networks import check_finite as check_finite
from .networks import reborn as reborn
from .networks import sign_cnn as sign_cnn
from .shipped import restored as restored
