"""A small training in each trainer, with a guard in it; importing this takes seconds."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import nn
from torch.utils.data import DataLoader, Dataset

from optplan import PlanGuard
from tests.guard.test_plan_guard import Net, groups_of

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import lightning.pytorch as pl
    from accelerate import Accelerator
    from mmengine.model import BaseModel
    from mmengine.runner import Runner
    from transformers import Trainer, TrainingArguments

Change = Callable[[nn.Module, list[dict[str, Any]]], None]


class Rows(Dataset[dict[str, torch.Tensor]]):
    def __len__(self) -> int:
        return 4

    def __getitem__(self, index: int) -> dict[str, torch.Tensor]:
        return {"x": torch.ones(4) * index, "labels": torch.tensor(index % 2)}


class Classifier(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.net = Net()

    def forward(self, x: torch.Tensor, labels: torch.Tensor) -> dict[str, torch.Tensor]:
        logits = self.net(x)
        return {"loss": nn.functional.cross_entropy(logits, labels), "logits": logits}


def optimizer_of(net: nn.Module, change: Change) -> torch.optim.AdamW:
    groups = groups_of(net)
    change(net, groups)
    return torch.optim.AdamW(groups, lr=1e-3)


def huggingface(folder: Path, guard: PlanGuard, change: Change, *, resume: bool = False) -> None:
    model = Classifier()
    arguments = TrainingArguments(
        output_dir=str(folder / "out"),
        max_steps=2 if resume else 1,
        save_steps=1,
        use_cpu=True,
        report_to=[],
        disable_tqdm=True,
        lr_scheduler_type="linear",
    )
    trainer = Trainer(
        model,
        arguments,
        train_dataset=Rows(),
        callbacks=[guard],
        optimizers=(optimizer_of(model.net, change), None),
    )
    trainer.train(resume_from_checkpoint=resume or None)


class Lit(pl.LightningModule):
    def __init__(self, change: Change) -> None:
        super().__init__()
        self.net = Classifier().net
        self.change = change

    def training_step(self, batch: dict[str, torch.Tensor], _: int) -> torch.Tensor:
        return nn.functional.cross_entropy(self.net(batch["x"]), batch["labels"])

    def configure_optimizers(self) -> Any:
        optimizer = optimizer_of(self.net, self.change)
        scheduler = torch.optim.lr_scheduler.StepLR(optimizer, 1)
        return {"optimizer": optimizer, "lr_scheduler": scheduler}


def lightning(folder: Path, guard: PlanGuard, change: Change, *, resume: bool = False) -> None:
    trainer = pl.Trainer(
        max_epochs=2 if resume else 1,
        accelerator="cpu",
        callbacks=[guard],  # type: ignore[list-item]
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
    )
    last = folder / "last.ckpt"
    trainer.fit(Lit(change), DataLoader(Rows()), ckpt_path=str(last) if resume else None)
    trainer.save_checkpoint(last)


class Mm(BaseModel):  # type: ignore[misc, unused-ignore]
    def __init__(self) -> None:
        super().__init__()
        self.net = Net()

    def forward(self, x: torch.Tensor, labels: torch.Tensor, mode: str = "tensor") -> Any:
        return {"loss": nn.functional.cross_entropy(self.net(x), labels)}


def mmengine(folder: Path, guard: PlanGuard, change: Change, *, resume: bool = False) -> None:
    from mmengine.optim import OptimWrapper

    model = Mm()
    runner = Runner(
        model,
        str(folder / "work"),
        train_dataloader=DataLoader(Rows()),
        train_cfg={"by_epoch": True, "max_epochs": 2 if resume else 1},
        optim_wrapper=OptimWrapper(optimizer_of(model.net, change)),
        param_scheduler={"type": "StepLR", "step_size": 1},
        custom_hooks=[guard],
        resume=resume,
        default_scope=None,
        experiment_name=f"guard{torch.randint(10**9, ()).item()}",
    )
    runner.train()


def accelerate(folder: Path, guard: PlanGuard, change: Change, *, resume: bool = False) -> None:
    model = Classifier()
    accelerator = Accelerator(cpu=True)
    wrapped, optimizer = accelerator.prepare(model, optimizer_of(model.net, change))
    if resume:
        accelerator.load_state(str(folder / "state"))
    guard(wrapped, optimizer)
    accelerator.save_state(str(folder / "state"))
