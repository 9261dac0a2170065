"""What all classes of this distribution inherit from."""

from __future__ import annotations

from torch import nn


class Net(nn.Module):
    """A small module without anything dangerous."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(2, 2)
        self.norm = nn.LayerNorm(2)
