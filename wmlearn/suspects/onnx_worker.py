"""Runs one ONNX model in a process of its own, which `onnx_model` starts, asks, and kills when it takes too
long. It is a script: it loads neither PyTorch nor this package.

Arguments: the paths to look for modules in (JSON), the model's file, the seconds that one answer may take.
On stdin comes a line of JSON with the shape of an image, and with scores where they are wanted, then its
float32; on stdout goes a line of JSON for each: labels, scores (logits or probabilities), or an error.
"""

from __future__ import annotations

import json
import os
import sys
from typing import Any

NO_ANSWER = -1
MEMORY = 8 * 2**30  # bytes of addresses


def main() -> None:
    """Load the model, say so, and answer until stdin ends."""
    sys.path[:] = json.loads(sys.argv[1])
    path = sys.argv[2]
    seconds = float(sys.argv[3])
    replies = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # what a library prints is no reply
    _bound(seconds)
    try:
        session = _loaded(path)
    except Exception as error:  # onnxruntime raises a kind of its own for each fault
        _say(replies, error=_words(error))
        return
    _say(replies, ready=True)
    for line in sys.stdin.buffer:
        wanted = json.loads(line)
        image = _image(wanted["shape"])
        _bound(seconds)
        try:
            if wanted.get("scores"):
                _say(replies, scores=_scores(session, image))
            else:
                _say(replies, labels=_labels(session, image))
        except Exception as error:
            _say(replies, error=_words(error))


def _bound(seconds: float) -> None:
    """Bound memory, files and time, should whoever started this no longer be there to end it."""
    try:
        import resource
    except ImportError:  # Windows
        return
    used = resource.getrusage(resource.RUSAGE_SELF)
    until = int(used.ru_utime + used.ru_stime + seconds) + 2
    bounds = {
        resource.RLIMIT_CPU: until,
        resource.RLIMIT_AS: MEMORY,
        resource.RLIMIT_FSIZE: 0,
        resource.RLIMIT_CORE: 0,
    }
    for limit, most in bounds.items():
        hard = resource.getrlimit(limit)[1]
        resource.setrlimit(limit, (most if hard < 0 else min(most, hard), hard))


def _loaded(path: str) -> Any:
    """Load a model that reads one array of numbers."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1  # the same sums, whatever the machine
    options.inter_op_num_threads = 1
    options.log_severity_level = 4
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    kinds = [value.type for value in session.get_inputs()]
    if kinds != ["tensor(float)"]:
        raise ValueError(f"it must have one input, tensor(float), and has {', '.join(kinds[:5]) or 'none'}")
    if not session.get_outputs():
        raise ValueError("it has no output")
    return session


def _image(shape: list[int]) -> Any:
    import numpy as np

    size = 4
    for number in shape:
        size *= number
    return np.frombuffer(sys.stdin.buffer.read(size), "<f4").reshape(shape)


def _labels(session: Any, x: Any) -> list[int]:
    """Return the labels of images (N, C, H, W): the first output's integers, or the places of its maxima."""
    import numpy as np

    output = _output(session, x)
    if _kind(output) == "i" and output.shape == (len(x),):
        return output.tolist()
    if not _is_scores(output, len(x)):
        raise ValueError("its first output must be logits (N, classes) or labels (N,)")
    labels = output.argmax(1)
    return np.where(np.isfinite(output).all(1), labels, NO_ANSWER).tolist()


def _scores(session: Any, x: Any) -> list[list[float]]:
    """Return the first output for images (N, C, H, W): logits or probabilities (N, classes)."""
    output = _output(session, x)
    if not _is_scores(output, len(x)):
        raise ValueError("its first output must be logits (N, classes) for this, and no labels")
    return output.tolist()


def _output(session: Any, x: Any) -> Any:
    return session.run([session.get_outputs()[0].name], {session.get_inputs()[0].name: x})[0]


def _is_scores(output: Any, n: int) -> bool:
    shape = getattr(output, "shape", ())
    return _kind(output) == "f" and len(shape) == 2 and shape[0] == n and shape[1] > 0


def _kind(output: Any) -> str:
    return getattr(getattr(output, "dtype", None), "kind", "")


def _words(error: Exception) -> str:
    return (str(error) or type(error).__name__).splitlines()[0][:300]


def _say(replies: Any, **reply: Any) -> None:
    replies.write(json.dumps(reply) + "\n")
    replies.flush()


if __name__ == "__main__":
    main()
