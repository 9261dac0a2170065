"""Small models for the checks."""

from __future__ import annotations

import torch
from torch import nn


class Net(nn.Module):
    """A backbone with a batch norm, and a head."""

    def __init__(self) -> None:
        super().__init__()
        self.backbone = nn.Sequential(nn.Conv2d(3, 4, 1), nn.BatchNorm2d(4))
        self.head = nn.Linear(4, 2)


class Heads(nn.Module):
    """``head`` begins inside a word, and ``layer1`` ends inside a number."""

    def __init__(self) -> None:
        super().__init__()
        self.head = nn.Linear(2, 2, bias=False)
        self.multihead_attn = nn.Linear(2, 2, bias=False)
        self.layer1 = nn.Linear(2, 2, bias=False)
        self.layer10 = nn.Linear(2, 2, bias=False)
        self.norm1 = nn.LayerNorm(2, bias=False)
        self.norm2 = nn.LayerNorm(2, bias=False)


class Declaring(nn.Module):
    """Declares in each way what is to get no weight decay."""

    def __init__(self) -> None:
        super().__init__()
        self.cls_token = nn.Parameter(torch.empty(1, 1, 4))
        self.relative_position = nn.Linear(4, 4, bias=False)
        self.block_1 = nn.Linear(4, 4, bias=False)
        self.a_log = nn.Parameter(torch.empty(4, 4))
        self.a_log._no_weight_decay = True  # type: ignore[attr-defined]
        self.head = nn.Linear(4, 2, bias=False)

    def no_weight_decay(self) -> set[str]:
        return {"cls_token", "block_*.weight"}

    def no_weight_decay_keywords(self) -> set[str]:
        return {"relative_position"}


class DeclaringInside(nn.Module):
    """A part of it declares, and another part's declaration fails."""

    def __init__(self) -> None:
        super().__init__()
        self.backbone = Declaring()
        self.neck = Failing()


class Failing(nn.Module):
    """Its method raises."""

    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Linear(4, 4)

    def no_weight_decay(self) -> set[str]:
        raise RuntimeError("no config")


class Compiled(nn.Module):
    """As ``torch.compile`` wraps a model."""

    def __init__(self) -> None:
        super().__init__()
        self._orig_mod = Net()


class Parallel(nn.Module):
    """As ``DistributedDataParallel`` wraps a model: nothing beside the child."""

    def __init__(self) -> None:
        super().__init__()
        self.module = Net()
