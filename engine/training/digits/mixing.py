"""Training examples: digit strings by one voice, as a phone in a room would record them."""

import numpy as np
from scipy.signal import butter, fftconvolve, lfilter, sosfilt

from corpus import apart
from features import FILTERS, RATE, features

LONGEST_SECONDS = 6.5


class Mixer:
    def __init__(self, recorded, spoken, seed):
        """recorded, spoken: utterances of real people and of synthetic voices, coded copies included."""
        self.random = np.random.default_rng(seed)
        self.sentences = [u for u in spoken if len(u.label) > 1]
        # Kokoro has the most voices and sounds the most like people, so half of the sentences are by it.
        self.natural = [u for u in self.sentences if u.voice.startswith("kokoro")] or self.sentences
        self.people = self.by_voice(recorded)
        singles = [u for u in spoken if len(u.label) == 1] + [part for u in self.sentences for part in apart(u)]
        # Voices that said enough digits by themselves can be joined to strings.
        self.machines = {voice: digits for voice, digits in self.by_voice(singles).items() if len(digits) >= 5}
        self.babble = [u.samples for u in self.sentences] + [u.samples for u in recorded]

    @staticmethod
    def by_voice(utterances):
        voices = {}
        for u in utterances:
            voices.setdefault(u.voice, {}).setdefault(u.label, []).append(u.samples)
        return voices

    def pick(self, items):
        return items[self.random.integers(len(items))]

    def chance(self, probability):
        return self.random.random() < probability

    def example(self):
        """Answers (features [frames, 40], label)."""
        samples, label = self.string()
        samples = self.paced(samples, self.random.uniform(0.85, 1.18))
        if len(samples) > LONGEST_SECONDS * RATE:  # cut short it would not say its label
            return self.example()
        warp = self.random.uniform(0.85, 1.18) if self.chance(0.6) else 1.0
        return self.masked(features(self.recorded(samples), warp)), label

    def string(self):
        """Answers (samples, label): what one voice says, before the room and the line."""
        kind = self.random.random()
        if kind < 0.03:
            return np.zeros(self.random.integers(RATE, 4 * RATE)), ""
        if kind < 0.05:  # speech that says no digit
            return self.pick(self.sentences).samples[::-1].astype(np.float64), ""
        if kind < 0.45 or not self.people and kind < 0.7:
            said = self.pick(self.natural if self.chance(0.5) else self.sentences)
            return said.samples.astype(np.float64), said.label
        if kind < 0.85 and self.people:
            return self.joined(self.people[self.person()], 0.05 if self.chance(0.5) else 0.3)
        return self.joined(self.pick(list(self.machines.values())), 0.15)

    def person(self):
        """A recorded voice: half the time as it is, else larger or smaller."""
        own = [voice for voice in self.people if "@" not in voice]
        resized = [voice for voice in self.people if "@" in voice]
        return self.pick(resized if resized and self.chance(0.5) else own)

    def joined(self, digits, overlap_share):
        """A string made of single digits of one voice: gaps, none, or the next word before the last one ended."""
        names = sorted(digits)
        label = [self.pick(names) for _ in range(self.random.integers(3, 9))]
        if self.chance(0.2):
            at = self.random.integers(1, len(label))
            label[at] = label[at - 1]
        pace, level = self.random.uniform(0.92, 1.08), self.random.uniform(0, 6)
        habit = self.pick([0, 400, 1200, 3000])
        parts = []
        for digit in label:
            samples = self.pick(digits[digit]).astype(np.float64)
            samples = samples / (np.abs(samples).max() + 1) * 10 ** (self.random.uniform(-level, level) / 20)
            parts.append(self.paced(samples, pace * self.random.uniform(0.9, 1.1)))
        line, end = np.zeros(sum(map(len, parts)) + 3000 * len(parts)), 0
        for number, part in enumerate(parts):
            start = end
            if number:
                overlaps = self.chance(overlap_share)
                gap = -self.random.integers(0, 480) if overlaps else self.random.integers(0, habit + 200)
                start = max(0, end + gap)
            line[start : start + len(part)] += part
            end = start + len(part)
        return line[:end], "".join(label)

    @staticmethod
    def paced(samples, factor):
        return np.interp(np.arange(0, len(samples) - 1, factor), np.arange(len(samples)), samples)

    def noise(self, count):
        kind = self.random.random()
        if kind < 0.3:  # other people talking, through every pause; one or two of them backwards, or they would be heard
            few = self.chance(0.3)
            total = np.zeros(count)
            for _ in range(self.random.integers(1, 3) if few else self.random.integers(4, 8)):
                other = np.resize(self.pick(self.babble).astype(np.float64), count)[:: -1 if few else 1]
                total += np.roll(other, self.random.integers(count)) / (other.std() + 1)
            return total
        white = self.random.standard_normal(count)
        if kind < 0.5:
            return white
        if kind < 0.9:
            white = lfilter([1], [1, -self.random.uniform(0.5, 0.98)], white)
        if kind > 0.8:
            times = np.arange(count) / RATE
            hum = sum(np.sin(2 * np.pi * self.pick([50, 60]) * n * times) / n for n in (1, 2, 3, 5))
            white = white / (white.std() + 1e-9) + hum
        return white

    def room(self):
        """What a room makes of a click: the click, a few early echoes, and a tail that dies by 60 dB in 0.12 to 0.9 s,
        its high notes first. The tail has from a sixteenth of the click's energy to four times as much."""
        random = self.random
        seconds = random.uniform(0.12, 0.9)
        times = np.arange(int(seconds * RATE)) / RATE
        tail = random.standard_normal(len(times)) * np.exp(-6.9 * times / seconds)
        tail[: int(random.uniform(0.001, 0.02) * RATE)] = 0
        for _ in range(random.integers(0, 7)):
            tail[random.integers(8, min(len(tail), 400))] += random.choice([-1, 1]) * random.uniform(1, 5)
        tail = lfilter([1], [1, -random.uniform(0, 0.7)], tail)
        response = tail / np.sqrt((tail**2).sum()) * 10 ** (random.uniform(-12, 6) / 20)
        response[0] += 1
        return response

    def recorded(self, samples):
        """The room, the microphone, the noise, the line."""
        random = self.random
        if self.chance(0.5):
            samples = fftconvolve(samples, self.room())[: len(samples) + RATE // 2]
        power = samples.std() + 1e-6
        before, after = (int(random.exponential(2500)) if self.chance(0.8) else 0 for _ in range(2))
        samples = np.pad(samples, (min(before, 12000) + 240, min(after, 12000) + 240))
        if power < 1e-5:
            power = 1.0
        noise = self.noise(len(samples))
        if self.chance(0.15):  # comes and goes
            noise = noise * np.interp(np.arange(len(noise)), np.linspace(0, len(noise), 6), random.uniform(0, 1, 6))
        samples = samples + noise / (noise.std() + 1e-9) * power * 10 ** (-self.signal_to_noise() / 20)
        if self.chance(0.5):
            samples = lfilter([1, -random.uniform(-0.6, 0.85)], [1], samples)
        if self.chance(0.3):
            band = [random.uniform(150, 400), random.uniform(2600, 3600)]
            samples = sosfilt(butter(random.integers(2, 5), band, "band", fs=RATE, output="sos"), samples)
        if self.chance(0.1):
            limit = np.abs(samples).max() * random.uniform(0.2, 0.7)
            samples = np.clip(samples, -limit, limit)
        if self.chance(0.15):  # mu-law, 8 bits
            peak = np.abs(samples).max() + 1e-9
            packed = np.sign(samples) * np.log1p(255 * np.abs(samples) / peak) / np.log(256)
            packed = np.rint(packed * 127) / 127
            samples = np.sign(packed) * (256 ** np.abs(packed) - 1) / 255 * peak
        return samples

    def signal_to_noise(self):
        return self.random.uniform(3, 25) if self.chance(0.6) else self.random.uniform(20, 50)

    def masked(self, mel):
        """SpecAugment, gently: a few filters, a few moments."""
        for _ in range(2):
            if self.chance(0.5):
                width = self.random.integers(1, 7)
                start = self.random.integers(0, mel.shape[1] - width)
                mel[:, start : start + width] = 0
        if self.chance(0.4) and len(mel) > 40:
            start = self.random.integers(0, len(mel) - 8)
            mel[start : start + self.random.integers(1, 8)] = 0
        return mel

    def batches(self, size, count=6):
        """`count` batches of about equally long sounds each, in no order: little of a batch is padding. A batch is
        features [size, frames, 40] padded with zeros, and for every row its network steps and its label."""
        rows = sorted((self.example() for _ in range(size * count)), key=lambda row: len(row[0]))
        for start in self.random.permutation(count) * size:
            own = rows[start : start + size]
            inputs = np.zeros((size, len(own[-1][0]), FILTERS), np.float32)
            for number, (mel, _) in enumerate(own):
                inputs[number, : len(mel)] = mel
            yield inputs, [(len(mel) + 1) // 2 for mel, _ in own], [label for _, label in own]
