"""Where training takes its sounds from: recordings, synthetic voices, copies of both that went through
codecs, and copies of the recordings with a smaller or larger vocal tract.

    python corpus.py [--data DIR] --synthetic DIR    makes those copies beside the synthetic voices
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
# A recorded voice so much higher, vocal tract and all, at the same pace: the recordings are men's alone.
SIZES = (0.88, 1.15, 1.3)


@dataclass
class Utterance:
    samples: np.ndarray  # int16 or float, 8 kHz
    label: str
    voice: str

    @property
    def person(self):
        """Who was recorded: `george@1.15` is george, made smaller."""
        return self.voice.split("@")[0]


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


def resized(samples, size):
    """One long recording with the voice made smaller (size > 1) or larger, of the same length."""
    change = f"asetrate={RATE * size:.0f},aresample={RATE},atempo={1 / size:.6f}"
    raw = ["-f", "s16le", "-ar", str(RATE), "-ac", "1"]
    command = ["ffmpeg", "-v", "error", "-bitexact", "-threads", "1", *raw, "-i", "-", "-af", change, *raw, "-"]
    made = subprocess.run(command, input=samples.astype("<i2").tobytes(), stdout=subprocess.PIPE, check=True).stdout
    result = np.frombuffer(made, "<i2")
    return np.pad(result, (0, max(0, len(samples) - len(result))))[: len(samples)]


def resized_copies(utterances):
    copies, gap = [], np.zeros(800, np.int16)
    for size in SIZES:
        joined = np.concatenate([part for u in utterances for part in (u.samples, gap)])
        result, start = resized(joined, size), 0
        for u in utterances:
            copies.append(Utterance(result[start : start + len(u.samples)], u.label, f"{u.voice}@{size}"))
            start += len(u.samples) + len(gap)
    return copies


def apart(utterance):
    """A sentence with a clear pause after every digit, as single digits; none where pauses and digits do not agree."""
    loud = np.abs(utterance.samples.astype(float)) > 0.02 * np.abs(utterance.samples).max()
    at = np.flatnonzero(loud)
    breaks = np.flatnonzero(np.diff(at) > RATE * 0.14)
    if len(breaks) + 1 != len(utterance.label):
        return []
    starts, ends = at[np.r_[0, breaks + 1]], at[np.r_[breaks, len(at) - 1]]
    parts = [utterance.samples[max(0, start - 160) : end + 160] for start, end in zip(starts, ends)]
    if min(map(len, parts)) < 0.12 * RATE:
        return []
    return [Utterance(part, digit, utterance.voice) for part, digit in zip(parts, utterance.label)]


def synthetic(directory):
    return [u for path in sorted(Path(directory).glob("*.npz")) if "making" not in path.name and PART not in path.name for u in packed(path)]


def coded_corpus(directory):
    path = Path(directory) / f"{PART}.npz"
    return packed(path) if path.exists() else []


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--data", type=Path, help="recordings below DIR/digits; without them, synthetic voices alone")
    parser.add_argument("--synthetic", type=Path, required=True)
    options = parser.parse_args()
    people = recordings(options.data) if options.data else []
    copies = coded_copies(synthetic(options.synthetic))
    if people:
        copies += coded_copies(people) + resized_copies(people)
    pack(options.synthetic / f"{PART}.npz", copies)
    print(len(copies), "copies")


if __name__ == "__main__":
    main()
