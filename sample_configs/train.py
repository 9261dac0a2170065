# optplan show sample_configs/train.py:make_param_groups --model sample_configs/models.py:Segmentor
"""What a training script does by hand: each of these functions stands in the place of a config."""

import torch
from torch import nn
from torch.optim import AdamW, Muon, Optimizer


def make_param_groups(model: nn.Module) -> list[dict]:
    """Groups alone: what they leave open is the optimizer's affair."""
    return [
        {'params': model.backbone.parameters()},
        {'params': model.decode_head.parameters(), 'lr': 1e-3},
    ]


def build_optimizer(model: nn.Module) -> Optimizer:
    """No weight decay for whatever has one dimension."""
    flat = [p for p in model.parameters() if p.ndim <= 1]
    rest = [p for p in model.parameters() if p.ndim > 1]
    groups = [{'params': rest}, {'params': flat, 'weight_decay': 0.0}]
    return AdamW(groups, lr=1e-4, weight_decay=0.05)


def muon_and_adamw(model: nn.Module) -> dict[str, Optimizer]:
    """Muon for the matrices inside the model, AdamW for all else."""
    inner = [p for n, p in model.named_parameters() if p.ndim == 2 and 'block' in n]
    ids = set(map(id, inner))
    rest = [p for p in model.parameters() if id(p) not in ids]
    return {'muon': Muon(inner, lr=0.02), 'adamw': AdamW(rest, lr=3e-4)}
