"""Models whose memory is counted."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class Uneven(nn.Module):
    """Dimensions that two and three processes do not divide, one of a single row, and a frozen parameter."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Linear(5, 7)
        self.blocks = nn.ModuleList([nn.Linear(7, 7), nn.Linear(7, 7)])
        self.scale = nn.Parameter(torch.ones(1))
        self.head = nn.Linear(7, 3, bias=False)
        self.head.weight.requires_grad_(False)

    def forward(self, values: Tensor) -> Tensor:
        inner = self.stem(values)
        for block in self.blocks:
            inner = block(inner)
        out: Tensor = self.head(inner * self.scale)
        return out


class Mixed(nn.Module):
    """Matrices, kernels, flat tensors, a scalar, equal shapes, two dtypes, and a frozen one."""

    def __init__(self) -> None:
        super().__init__()
        self.words = nn.Embedding(12, 6)
        self.convolution = nn.Conv2d(3, 6, 3)
        self.norm = nn.BatchNorm2d(6)
        self.first = nn.Linear(6, 6)
        self.second = nn.Linear(6, 6)
        self.third = nn.Linear(6, 40)
        self.short = nn.Linear(6, 4).to(torch.bfloat16)
        self.frozen = nn.Linear(6, 6)
        self.frozen.requires_grad_(False)


class Matrices(nn.Module):
    """Nothing but matrices, two of one shape."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Linear(6, 8, bias=False)
        self.second = nn.Linear(8, 8, bias=False)
        self.third = nn.Linear(8, 8, bias=False)


class Words(nn.Module):
    """Embeddings with sparse gradients."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Embedding(11, 5, sparse=True)
        self.second = nn.Embedding(300, 5, sparse=True)
