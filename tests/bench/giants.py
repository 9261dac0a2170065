"""Large models that take no memory: a mixture of experts of many parameters, a transformer of huge ones."""

from __future__ import annotations

import torch
from torch import nn

_MATRICES = ("gate", "up", "down")


class Expert(nn.Module):
    """Three matrices with biases."""

    def __init__(self, width: int, hidden: int) -> None:
        super().__init__()
        self.gate = nn.Linear(width, hidden)
        self.up = nn.Linear(width, hidden)
        self.down = nn.Linear(hidden, width)


class Attention(nn.Module):
    """Four projections without biases."""

    def __init__(self, width: int) -> None:
        super().__init__()
        for name in ("q", "k", "v", "out"):
            self.add_module(name, nn.Linear(width, width, bias=False))


class Block(nn.Module):
    """Attention, then one network or several experts with a router."""

    def __init__(self, width: int, hidden: int, experts: int) -> None:
        super().__init__()
        self.norm1 = nn.LayerNorm(width)
        self.attention = Attention(width)
        self.norm2 = nn.LayerNorm(width)
        if experts:
            self.router = nn.Linear(width, experts)
            self.experts = nn.ModuleList(Expert(width, hidden) for _ in range(experts))
        else:
            self.mlp = Expert(width, hidden)


class LanguageModel(nn.Module):
    """Embeddings, blocks, and a head."""

    def __init__(
        self, *, words: int, width: int, hidden: int, blocks: int, experts: int = 0
    ) -> None:
        super().__init__()
        self.embed = nn.Embedding(words, width)
        self.blocks = nn.ModuleList(Block(width, hidden, experts) for _ in range(blocks))
        self.norm = nn.LayerNorm(width)
        self.head = nn.Linear(width, words)


def mixture_of_experts(parameters: int = 100_000) -> nn.Module:
    """A mixture of 64 experts a block with about that many parameters, each of them small."""
    a_block = 10 + 6 * 64
    with torch.device("meta"):
        return LanguageModel(
            words=1000, width=8, hidden=16, blocks=-(-parameters // a_block), experts=64
        )


def seventy_billion() -> nn.Module:
    """A transformer of seventy billion elements in 80 blocks."""
    with torch.device("meta"):
        return LanguageModel(words=128_000, width=8192, hidden=24_576, blocks=80)
