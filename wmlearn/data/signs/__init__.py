"""Traffic signs, drawn and photographed by rule: plates, stickers, a camera, streets. No data files."""

from .camera import ROUGH as ROUGH
from .camera import Camera as Camera
from .crops import COUNTRIES as COUNTRIES
from .crops import TEST as TEST
from .crops import draw as draw
from .crops import in_good_light as in_good_light
from .crops import kinds as kinds
from .crops import load_signs as load_signs
from .plates import Sign as Sign
from .stickers import Design as Design
from .stickers import Sticker as Sticker
from .street import Street as Street
from .street import StreetSplits as StreetSplits
from .street import draw_street as draw_street
from .street import load_street as load_street
