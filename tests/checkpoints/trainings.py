"""A small training in each trainer, which saves a checkpoint or goes on from one; importing this takes seconds."""

from __future__ import annotations

import uuid
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import torch
from torch import nn
from torch.distributed.checkpoint import state_dict as dcp_states
from torch.distributed.checkpoint.state_dict_loader import load as dcp_load
from torch.distributed.checkpoint.state_dict_saver import save as dcp_save
from torch.utils.data import DataLoader, Dataset

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import lightning.pytorch as pl
    import yaml
    from mmengine.config import Config
    from mmengine.hooks import Hook
    from mmengine.model import BaseModel
    from mmengine.runner import Runner
    from timm.models import resume_checkpoint
    from timm.optim import create_optimizer_v2, optimizer_kwargs
    from timm.utils import CheckpointSaver
    from transformers import Trainer, TrainerCallback, TrainingArguments

OLD = {"lr": 0.1, "decay": 0.01, "betas": (0.9, 0.99)}
NEW = {"lr": 0.2, "decay": 0.05, "betas": (0.8, 0.95)}
Values = Mapping[str, Any]


@dataclass(kw_only=True)
class Seen:
    """What a training begins with.

    Args:
        options: For each parameter the entries of its group.
        schedulers: The states of the schedulers.
    """

    options: dict[str, dict[str, Any]] = field(default_factory=dict)
    schedulers: list[dict[str, Any]] = field(default_factory=list)

    def look_at(self, model: nn.Module, optimizer: Any, schedulers: Any = ()) -> None:
        names = {id(tensor): name for name, tensor in model.named_parameters()}
        for group in optimizer.param_groups:
            for tensor in group["params"]:
                own = {key: value for key, value in group.items() if key != "params"}
                self.options[names[id(tensor)]] = own
        self.schedulers = [one.state_dict() for one in schedulers]


class Rows(Dataset[dict[str, torch.Tensor]]):
    def __len__(self) -> int:
        return 4

    def __getitem__(self, index: int) -> dict[str, torch.Tensor]:
        return {"x": torch.ones(4) * index, "labels": torch.tensor(index % 2)}


class Net(nn.Module):
    def __init__(self, width: int = 2) -> None:
        super().__init__()
        self.norm = nn.BatchNorm1d(4)
        self.head = nn.Linear(4, width)

    def forward(self, x: torch.Tensor, labels: torch.Tensor) -> dict[str, torch.Tensor]:
        logits = self.head(self.norm(x))
        return {"loss": nn.functional.cross_entropy(logits, labels), "logits": logits}


def optimizer_of(net: nn.Module, lr: float, decay: float, betas: Any) -> torch.optim.AdamW:
    """AdamW with two groups; a function as optplan plans it."""
    named = dict(net.named_parameters())
    plain = [one for name, one in named.items() if name == "head.weight"]
    rest = [one for name, one in named.items() if name != "head.weight"]
    groups: list[dict[str, Any]] = [{"params": rest, "weight_decay": 0.0}, {"params": plain}]
    return torch.optim.AdamW(groups, lr=lr, weight_decay=decay, betas=tuple(betas))


def stepped(net: nn.Module, optimizer: torch.optim.Optimizer) -> None:
    net(torch.randn(4, 4), torch.tensor([0, 1, 0, 1]))["loss"].backward()
    optimizer.step()


def huggingface(folder: Path, values: Values, *, resume: Path | None = None) -> tuple[Path, Seen]:
    seen, model = Seen(), Net()

    class Look(TrainerCallback):  # type: ignore[misc, unused-ignore]
        def on_train_begin(self, *_: Any, optimizer: Any, lr_scheduler: Any, **__: Any) -> None:
            seen.look_at(model, optimizer, [lr_scheduler])

    arguments = {
        "learning_rate": values["lr"],
        "weight_decay": values["decay"],
        "adam_beta1": values["betas"][0],
        "adam_beta2": values["betas"][1],
        "max_steps": 2,
        "save_steps": 1,
        "lr_scheduler_type": "linear",
        "output_dir": str(folder / "out"),
    }
    (folder / "args.yaml").write_text(yaml.safe_dump(arguments))
    rest = {"use_cpu": True, "report_to": [], "disable_tqdm": True}
    trainer = Trainer(
        model, TrainingArguments(**arguments, **rest), train_dataset=Rows(), callbacks=[Look()]
    )
    trainer.train(resume_from_checkpoint=str(resume) if resume else None)
    return folder / "out" / "checkpoint-1", seen


class Lit(pl.LightningModule):
    def __init__(self, lr: float = 0.1, decay: float = 0.01, betas: Any = (0.9, 0.99)) -> None:
        super().__init__()
        self.net = Net()
        self.values = lr, decay, betas

    def training_step(self, batch: dict[str, torch.Tensor], _: int) -> torch.Tensor:
        return self.net(batch["x"], batch["labels"])["loss"]  # type: ignore[no-any-return]

    def configure_optimizers(self) -> Any:
        optimizer = optimizer_of(self.net, *self.values)
        size = 1 if self.values[0] == OLD["lr"] else 3
        return [optimizer], [torch.optim.lr_scheduler.StepLR(optimizer, size, gamma=0.5)]


def lightning(folder: Path, values: Values, *, resume: Path | None = None) -> tuple[Path, Seen]:
    seen = Seen()

    class Look(pl.Callback):
        def on_train_start(self, trainer: Any, pl_module: Any) -> None:
            schedulers = [one.scheduler for one in trainer.lr_scheduler_configs]
            seen.look_at(pl_module, trainer.optimizers[0], schedulers)

    trainer = pl.Trainer(
        max_epochs=2 if resume else 1,
        accelerator="cpu",
        callbacks=[Look()],
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
    )
    last = folder / "last.ckpt"
    module = Lit(values["lr"], values["decay"], values["betas"])
    trainer.fit(module, DataLoader(Rows(), batch_size=2), ckpt_path=resume)
    if not resume:
        trainer.save_checkpoint(last)
    return last, seen


class ResumedNet(BaseModel):  # type: ignore[misc, unused-ignore]
    def __init__(self) -> None:
        super().__init__()
        self.net = Net()

    def forward(self, x: torch.Tensor, labels: torch.Tensor, mode: str = "tensor") -> Any:
        return {"loss": self.net(x, labels)["loss"]}


def mmengine(folder: Path, values: Values, *, resume: Path | None = None) -> tuple[Path, Seen]:
    seen = Seen()

    class Look(Hook):  # type: ignore[misc, unused-ignore]
        priority = "VERY_LOW"

        def before_train(self, runner: Any) -> None:
            model = runner.model
            seen.look_at(model, runner.optim_wrapper.optimizer, runner.param_schedulers)

    text = (
        f"optim_wrapper = dict(optimizer=dict(type='AdamW', lr={values['lr']},\n"
        f"    weight_decay={values['decay']}, betas={values['betas']}),\n"
        "    paramwise_cfg=dict(norm_decay_mult=0.0))\n"
        f"param_scheduler = dict(type='StepLR', step_size={1 if values == OLD else 3})\n"
        f"train_cfg = dict(by_epoch=True, max_epochs={1 if values == OLD else 2})\n"
    )
    (folder / "config.py").write_text(text)
    config = Config.fromfile(folder / "config.py")
    runner = Runner(
        ResumedNet(),
        str(folder / "work"),
        train_dataloader=DataLoader(Rows(), batch_size=2),
        train_cfg=config.train_cfg,
        optim_wrapper=config.optim_wrapper,
        param_scheduler=config.param_scheduler,
        custom_hooks=[Look()],
        resume=resume is not None,
        load_from=str(resume) if resume else None,
        default_scope=None,
        experiment_name=uuid.uuid4().hex,
    )
    runner.train()
    return folder / "work" / "epoch_1.pth", seen


def timm(folder: Path, values: Values, *, resume: Path | None = None) -> tuple[Path, Seen]:
    seen, net = Seen(), Net()
    recipe = {
        "opt": "adamw",
        "lr": values["lr"],
        "weight_decay": values["decay"],
        "opt_betas": list(values["betas"]),
        "opt_eps": None,
        "momentum": 0.9,
        "model": "net",
        "sched": "none",
    }
    (folder / "args.yaml").write_text(yaml.safe_dump(recipe))
    optimizer = create_optimizer_v2(net, **optimizer_kwargs(SimpleNamespace(**recipe)))
    if resume is None:
        stepped(net, optimizer)
        saver = CheckpointSaver(net, optimizer, SimpleNamespace(**recipe), checkpoint_dir=folder)
        saver.save_checkpoint(3, 0.5)
    else:
        resume_checkpoint(net, str(resume), optimizer, weights_only=False)
    seen.look_at(net, optimizer)
    return folder / "last.pth.tar", seen


def _states(net: nn.Module, optimizer: Any, *, flat: bool) -> tuple[Any, Any]:
    options = dcp_states.StateDictOptions(flatten_optimizer_state_dict=flat)
    return dcp_states.get_state_dict(net, optimizer, options=options)


def distributed(
    folder: Path, values: Values, *, resume: Path | None = None, flat: bool = False
) -> tuple[Path, Seen]:
    """As the user's guide of torch has it; or flat, as torchtitan saves it."""
    seen, net = Seen(), Net()
    optimizer = optimizer_of(net, **values)
    if resume is None:
        stepped(net, optimizer)
    model_state, optimizer_state = _states(net, optimizer, flat=flat)
    state: dict[str, Any] = {"optimizer": optimizer_state}
    state |= model_state if flat else {"model": model_state}
    if resume is None:
        state |= {"train_state": {"step": torch.tensor(7)}} if flat else {"step": 7}
        dcp_save(state, checkpoint_id=folder / "step-7", no_dist=True)
    else:
        dcp_load(state, checkpoint_id=resume, no_dist=True)
        options = dcp_states.StateDictOptions(flatten_optimizer_state_dict=flat)
        loaded = model_state if flat else state["model"]
        dcp_states.set_state_dict(
            net,
            optimizer,
            model_state_dict=loaded,
            optim_state_dict=state["optimizer"],
            options=options,
        )
    seen.look_at(net, optimizer)
    return folder / "step-7", seen


def torchtitan(folder: Path, values: Values, *, resume: Path | None = None) -> tuple[Path, Seen]:
    return distributed(folder, values, resume=resume, flat=True)


Train = Callable[..., tuple[Path, Seen]]
