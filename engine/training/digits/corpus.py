"""Where training takes its sounds from: recordings, synthetic voices, and copies of both that went through codecs.

    python corpus.py --data DIR --synthetic DIR      makes the coded copies beside the synthetic voices
"""

import argparse
import re
import subprocess
import tempfile
import wave
from dataclasses import dataclass
from pathlib import Path

import numpy as np

RATE = 8000
PART = "codec"


@dataclass
class Utterance:
    samples: np.ndarray  # int16 or float, 8 kHz
    label: str
    voice: str


def recordings(data):
    """Free Spoken Digit Dataset: every `{digit}_{speaker}_{n}.wav` below DIR/digits."""
    found = []
    for path in sorted((Path(data) / "digits").rglob("*.wav")):
        name = re.fullmatch(r"(\d)_(.+)_(\d+)\.wav", path.name)
        if not name:
            continue
        with wave.open(str(path)) as file:
            assert file.getframerate() == RATE and file.getnchannels() == 1 and file.getsampwidth() == 2, path
            samples = np.frombuffer(file.readframes(file.getnframes()), np.int16)
        if len(samples) >= 400:
            found.append(Utterance(samples, name[1], name[2]))
    return found


def packed(path):
    with np.load(path) as archive:  # every look into it reads the file again, so once each
        samples, lengths, labels, voices = (archive[name] for name in ("samples", "lengths", "labels", "voices"))
    ends = np.cumsum(lengths)
    rows = zip(ends - lengths, ends, labels, voices)
    return [Utterance(samples[start:end], str(label), str(voice)) for start, end, label, voice in rows]


def pack(path, utterances):
    np.savez(
        path,
        samples=np.concatenate([u.samples for u in utterances]),
        lengths=[len(u.samples) for u in utterances],
        labels=[u.label for u in utterances],
        voices=[u.voice for u in utterances],
    )


# What a phone or a browser does to a voice before we hear it. The narrow ones stand in for mobile calls (CELP, as AMR).
CODECS = {
    "aac": (["-ar", "16000", "-c:a", "aac", "-b:a", "24k"], "m4a"),
    "opus": (["-c:a", "libopus", "-b:a", "12k", "-application", "voip"], "ogg"),
    "opus-low": (["-c:a", "libopus", "-b:a", "6k", "-application", "voip"], "ogg"),
    "gsm": (["-c:a", "libgsm"], "gsm"),
    "g723": (["-c:a", "g723_1", "-b:a", "6300"], "wav"),
    "speex": (["-c:a", "libspeex", "-b:a", "8k"], "ogg"),
}


def coded(samples, codec, scratch):
    """One long recording through one codec and back, moved to where it was."""
    options, suffix = CODECS[codec]
    plain, small, back = scratch / "plain.raw", scratch / f"coded.{suffix}", scratch / "back.raw"
    samples.astype("<i2").tofile(plain)
    quiet = ["ffmpeg", "-v", "error", "-y", "-bitexact", "-threads", "1"]
    subprocess.run([*quiet, "-f", "s16le", "-ar", "8000", "-ac", "1", "-i", plain, *options, small], check=True)
    subprocess.run([*quiet, "-i", small, "-f", "s16le", "-ar", "8000", "-ac", "1", back], check=True)
    result = np.fromfile(back, "<i2")
    result = np.pad(result, (0, max(0, len(samples) - len(result))))[: len(samples)]
    probe = slice(RATE, RATE * 31)
    spectrum = np.fft.rfft(samples[probe], 1 << 19).conj() * np.fft.rfft(result[probe], 1 << 19)
    delay = int(np.fft.irfft(spectrum)[:800].argmax())
    return np.roll(result, -delay)


def coded_copies(utterances):
    """Each utterance through one codec; 40 ms of silence between them keeps neighbours apart."""
    copies = []
    with tempfile.TemporaryDirectory() as scratch:
        for turn, codec in enumerate(CODECS):
            own = utterances[turn :: len(CODECS)]
            gap = np.zeros(320, np.int16)
            joined = np.concatenate([part for u in own for part in (u.samples, gap)])
            result, start = coded(joined, codec, Path(scratch)), 0
            for u in own:
                copies.append(Utterance(result[start : start + len(u.samples)], u.label, u.voice))
                start += len(u.samples) + len(gap)
    return copies


def synthetic(directory):
    return [u for path in sorted(Path(directory).glob("*.npz")) if "making" not in path.name and PART not in path.name for u in packed(path)]


def coded_corpus(directory):
    path = Path(directory) / f"{PART}.npz"
    return packed(path) if path.exists() else []


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--synthetic", type=Path, required=True)
    options = parser.parse_args()
    copies = coded_copies(recordings(options.data)) + coded_copies(synthetic(options.synthetic))
    pack(options.synthetic / f"{PART}.npz", copies)
    print(len(copies), "coded copies")


if __name__ == "__main__":
    main()
