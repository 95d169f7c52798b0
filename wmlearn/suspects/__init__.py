"""A model under accusation, however it comes: weights in a file, an ONNX file, or a service over HTTP."""

from .formats import load_suspect as load_suspect
from .onnx_model import OnnxModel as OnnxModel
from .remote import Remote as Remote
from .serving import Limits as Limits
from .serving import running as running
from .serving import serve as serve
from .serving import server as server
from .serving import service as service
