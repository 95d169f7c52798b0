"""Traffic signs, drawn and photographed by rule: plates, stickers, a camera, streets. No data files."""

from .camera import ROUGH as ROUGH
from .camera import Camera as Camera
from .crops import COUNTRIES as COUNTRIES
from .crops import draw as draw
from .crops import kinds as kinds
from .crops import load_signs as load_signs
from .plates import Sign as Sign
from .stickers import Sticker as Sticker
