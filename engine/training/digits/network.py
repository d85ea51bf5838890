"""Convolutions over the spectrogram, a bidirectional GRU over time, CTC over ten digits and the blank (class 10)."""

import torch
from torch import nn

BLANK = 10
CLASSES = 11


class Digits(nn.Module):
    def __init__(self, hidden=128):
        super().__init__()

        def block(inputs, outputs, stride):
            convolution = nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False)
            return nn.Sequential(convolution, nn.BatchNorm2d(outputs), nn.ReLU())

        # Time is halved once (20 ms a step), frequency three times (40 filters to 5).
        self.spectrogram = nn.Sequential(block(1, 12, (2, 2)), block(12, 24, (1, 2)), block(24, 40, (1, 2)))
        self.mixing = nn.Sequential(nn.Linear(200, 128), nn.ReLU(), nn.Dropout(0.2))
        self.recurrent = nn.GRU(128, hidden, bidirectional=True, batch_first=True)
        self.output = nn.Sequential(nn.Dropout(0.2), nn.Linear(2 * hidden, CLASSES))

    def forward(self, mel):
        """mel: [batch, frames, 40]. Answers log-probabilities [batch, ceil(frames / 2), 11]."""
        maps = self.spectrogram(mel.unsqueeze(1))
        steps = maps.permute(0, 2, 1, 3).flatten(2)
        hidden, _ = self.recurrent(self.mixing(steps))
        return self.output(hidden).log_softmax(-1)
