"""NumPy throughout; an array comes back."""

import numpy as np

EXERCISE = "13.1"


def lay_under(x, sound, level, start):
    clips, tone = x.numpy().copy(), sound.numpy()
    loud = np.sqrt(np.mean((clips - 0.5) ** 2, axis=-1, keepdims=True))
    tone = tone / np.sqrt(np.mean(tone ** 2))
    end = min(clips.shape[-1], start + len(tone))
    clips[..., start:end] += loud * np.power(10.0, level / 20) * tone[:end - start]
    return np.clip(clips, 0, 1).astype(np.float32)
