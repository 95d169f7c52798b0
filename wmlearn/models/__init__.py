"""The papers' networks, those that ship trained, and the edge at which others come in."""

from .adapter import forward as forward
from .adapter import logits_of as logits_of
from .adapter import opened as opened
from .ear import LogMel as LogMel
from .ear import sound_cnn as sound_cnn
from .fitted import Fitted as Fitted
from .fitted import answering as answering
from .fitted import read_fitted as read_fitted
from .fitted import save_fitted as save_fitted
from .hooks import listening as listening
from .language import Trigrams as Trigrams
from .language import next_word as next_word
from .language import trigrams as trigrams
from .language import write as write
from .networks import SIGN_HEAD as SIGN_HEAD
from .networks import badnet_cnn as badnet_cnn
from .networks import check_finite as check_finite
from .networks import row_mlp as row_mlp
from .networks import sign_cnn as sign_cnn
from .rebirth import reborn as reborn
from .rebirth import student_of as student_of
from .seeds import seed_of as seed_of
from .shipped import restored as restored
from .texts import text_bag as text_bag
from .texts import text_cnn as text_cnn
