"""Clips through codecs that telephones and players use; needs the package soundfile, which has libsndfile."""

from __future__ import annotations

import io

import torch
from torch import Tensor

from ..data.recordings import RATE, from_wave, to_wave
from ..errors import DataError

CODECS = {"MP3": ("MP3", "MPEG_LAYER_III"), "Opus": ("OGG", "OPUS"), "GSM 6.10": ("WAV", "GSM610")}
"""Name -> libsndfile's words for the file and the samples in it."""
SMALLEST = 0.95  # of libsndfile's scale of compression, 0 to 1; GSM has one rate only
LONGEST = 2_000  # samples by which a codec may delay what it plays


def coded(x: Tensor, codec: str) -> Tensor:
    """Encode and decode each of the clips (N, 1, 1, T), and undo the codec's delay.

    Raises `DataError` without the package soundfile.
    """
    return torch.stack([_played(wave, codec) for wave in to_wave(x).flatten(1)])[:, None, None]


def _played(wave: Tensor, codec: str) -> Tensor:
    try:
        import soundfile
    except ImportError as error:
        raise DataError("Codecs need the package soundfile, got none. Run pip install soundfile.") from error
    kind, subtype = CODECS[codec]
    level = None if kind == "WAV" else SMALLEST
    file = io.BytesIO()
    soundfile.write(file, wave.numpy(), RATE, format=kind, subtype=subtype, compression_level=level)
    file.seek(0)
    heard, _ = soundfile.read(file, dtype="float32")
    return from_wave(_aligned(torch.from_numpy(heard), wave))


def _aligned(heard: Tensor, wave: Tensor) -> Tensor:
    """Shift what was heard back by the delay at which it is most like the wave; as long as that."""
    size = 2 * max(len(heard), len(wave))
    likeness = torch.fft.irfft(torch.fft.rfft(heard, size) * torch.fft.rfft(wave, size).conj(), size)
    late = int(likeness[:LONGEST].argmax())
    kept = heard[late : late + len(wave)]
    return torch.nn.functional.pad(kept, (0, len(wave) - len(kept)))
