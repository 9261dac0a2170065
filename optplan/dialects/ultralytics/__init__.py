"""ultralytics' ``args.yaml``: its own trainer scales the weight decay and makes the groups."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from optplan.config.placed import place_of, placed_dict
from optplan.config.recognition import Recognition
from optplan.dialects.protocol import BuildRequest, Dialect, Entries, Source, entries_of
from optplan.dialects.ultralytics.entries import IMAGES
from optplan.errors import ConfigError

if TYPE_CHECKING:
    from optplan.config import Config, OptimizerConfig
    from optplan.constructors.group_builders import GroupBuilder
    from optplan.schedule import Section, Training
    from optplan.schedule.unread import Unread

_SIGNS = frozenset(
    {
        "close_mosaic", "cos_lr", "imgsz", "lr0", "lrf", "mask_ratio", "mosaic", "nbs", "overlap_mask",
        "warmup_bias_lr", "warmup_epochs", "warmup_momentum",
    }
)  # fmt: skip
_SCHEDULE = ("cos_lr", "epochs", "lrf", "warmup_bias_lr", "warmup_epochs", "warmup_momentum")


class Ultralytics(Dialect):
    """The arguments of ultralytics' trainers."""

    name = "ultralytics"
    title = "ultralytics"

    def recognize(self, data: Entries) -> Recognition | None:
        signs = sorted(_SIGNS & data.keys())
        if len(signs) < 2 or not isinstance(data.get("task"), str) or "optimizer" not in data:
            return None
        return self.recognized("task", *signs)

    def settable(self) -> frozenset[str]:
        return _SIGNS | {IMAGES, "batch", "epochs", "momentum", "optimizer", "weight_decay"}

    def section_names(self, config: Config) -> list[str]:
        return [str(name) for name in config.data]

    def read(self, config: Source) -> OptimizerConfig:
        from optplan.config.optimizer import section_of_recipe

        data = entries_of(config)
        kind = data["optimizer"]
        if not isinstance(kind, str):
            raise ConfigError("optimizer must be a name", place=place_of(data, "optimizer"))
        if data.get("freeze") is not None:
            raise ConfigError(
                "freeze is not read: which layers it means is decided in the trainer's set-up",
                place=place_of(data, "freeze"),
                hint="leave it out (--set freeze=None), and read the plan for the layers that stay trainable",
            )
        names = {"lr": "lr0", "momentum": "momentum", "weight_decay": "weight_decay"}
        return section_of_recipe(
            data,
            kind=kind,
            arguments={name: data[one] for name, one in names.items() if one in data},
            place=place_of(data, "optimizer"),
        )

    def model(self, config: Config) -> Any:
        name = config.data.get("model")
        if not isinstance(name, str) or not name.endswith((".pt", ".yaml", ".yml")):
            return None
        stem = name.rpartition(".")[0]
        raise ConfigError(
            "the model is one of ultralytics' files",
            place=place_of(config.data, "model"),
            hint=f"name its architecture: --model {stem}.yaml",
        )

    def schedulers(self, data: Entries) -> Section:
        from optplan.dialects.ultralytics.schedule import UltralyticsScheduler
        from optplan.schedule.written import library_section

        place = place_of(data, "lrf") or place_of(data, "cos_lr") or place_of(data, "optimizer")
        kind = "ultralytics.BaseTrainer._setup_scheduler"
        return library_section(kind, UltralyticsScheduler(), data, place)

    def unread(self, data: Entries) -> tuple[Unread, ...]:
        from optplan.dialects.ultralytics.schedule import unread_warmup

        return unread_warmup(data)

    def scheduler_entries(self, config: Config) -> dict[str, Any]:
        return {name: config.data[name] for name in _SCHEDULE if name in config.data}

    def training(self, data: Entries, per_epoch: int | None) -> Training:
        from optplan.schedule.training import Training, count_in

        told = data if "epochs" in data else placed_dict({"epochs": 100}.items(), {})
        return Training(by_epoch=True, length=count_in(told, "epochs"), per_epoch=per_epoch)

    def build(self, section: OptimizerConfig, request: BuildRequest) -> GroupBuilder:
        from optplan.constructors.library_builder import LibraryBuilder
        from optplan.dialects.ultralytics.build import optimizers_of

        made = partial(optimizers_of, section.recipe)
        return LibraryBuilder("ultralytics' build_optimizer", section, made, section.places["type"])
