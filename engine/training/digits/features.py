"""What the network hears: 40 log-mel energies every 10 ms of 8 kHz sound. engine/digits/features.ts computes the
same numbers, and a test holds the two together.

1. Frames of 200 samples (25 ms), 80 apart (10 ms), only whole ones: 1 + floor((n - 200) / 80). No dither, no pre-emphasis.
2. Times the symmetric Hann window 0.5 - 0.5 cos(2 pi i / 199), zero-padded to 256, power spectrum |X[k]|^2, k 0..128.
3. 40 triangular filters, corners evenly spaced on the mel scale 2595 log10(1 + f / 700) from 60 to 3,900 Hz, peak 1,
   not normalised by area, evaluated at the exact frequencies k * 31.25 Hz.
4. log(energy / mean + 1e-5), where the mean is over all frames and filters: loudness drops out, and what lies 50 dB
   below the average is silence.
5. Minus each filter's mean over the frames (the microphone drops out), divided by the standard deviation of the whole.
"""

import functools

import numpy as np

RATE, WINDOW, HOP, FFT, FILTERS = 8000, 200, 80, 256, 40
LOW, HIGH = 60.0, 3900.0
FLOOR = 1e-5

HANN = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(WINDOW) / (WINDOW - 1))


def mel(hertz):
    return 2595 * np.log10(1 + hertz / 700)


def hertz(mels):
    return 700 * (10 ** (mels / 2595) - 1)


@functools.cache
def filters(warp=1.0):
    """[FILTERS, FFT / 2 + 1]. `warp` moves the corners, as a longer or shorter vocal tract would: training only."""
    corners = hertz(np.linspace(mel(LOW), mel(HIGH), FILTERS + 2)) * warp
    bins = np.arange(FFT // 2 + 1) * RATE / FFT
    rising = (bins - corners[:-2, None]) / (corners[1:-1] - corners[:-2])[:, None]
    falling = (corners[2:, None] - bins) / (corners[2:] - corners[1:-1])[:, None]
    return np.maximum(0, np.minimum(rising, falling))


def features(samples, warp=1.0):
    """samples: [n] at 8 kHz, any scale. Answers [frames, FILTERS] float32; n must be at least WINDOW."""
    samples = np.asarray(samples, np.float64)
    count = 1 + (len(samples) - WINDOW) // HOP
    frames = np.lib.stride_tricks.sliding_window_view(samples, WINDOW)[::HOP][:count]
    power = np.abs(np.fft.rfft(frames * HANN, FFT)) ** 2
    energy = power @ filters(warp).T
    logs = np.log(energy / energy.mean() + FLOOR)
    return ((logs - logs.mean(axis=0)) / logs.std()).astype(np.float32)
