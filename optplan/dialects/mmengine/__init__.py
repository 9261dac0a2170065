"""OpenMMLab's configs: those of MMEngine, and of mmcv 1.x before it.

Both have the optimizer section that ``optplan.config.optimizer`` validates, which functions share for ``--set``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from optplan.config.optimizer import MMCV1
from optplan.config.recognition import Recognition
from optplan.dialects.mmengine.read_sections import (
    MMENGINE,
    SIGNS_OF_MMCV1,
    TITLES,
    generation_of,
    named_sections,
    read_section,
    read_sections,
    section_name,
)
from optplan.dialects.protocol import BuildRequest, Dialect, Entries, Source, entries_of
from optplan.errors import Problem

if TYPE_CHECKING:
    from optplan.config import Batch, Config, OptimizerConfig, Scaling
    from optplan.constructors.group_builders import GroupBuilder
    from optplan.schedule import Section, Training
    from optplan.schedule.unread import Unread

# What the runners of MMEngine and of mmcv 1.x, and the scripts that start them, take from a config.
_ENTRIES = frozenset(
    {
        "activation_checkpointing", "auto_resume", "auto_scale_lr", "checkpoint_config", "compile",
        "cudnn_benchmark", "custom_hooks", "custom_hooks_config", "custom_imports", "data",
        "data_preprocessor", "default_hooks", "default_scope", "deterministic", "device", "dist_params",
        "efficient_conv_bn_eval", "env_cfg", "evaluation", "experiment_name", "find_unused_parameters",
        "fp16", "gpu_ids", "gpus", "launcher", "load_from", "log_config", "log_level", "log_processor",
        "lr_config", "model", "model_wrapper_cfg", "momentum_config", "mp_start_method",
        "opencv_num_threads", "optim_wrapper", "optimizer", "optimizer_config", "param_scheduler",
        "randomness", "resource_limit", "resume", "resume_from", "runner",
        "runner_type", "seed", "strategy", "sync_bn", "test_cfg", "test_dataloader", "test_evaluator",
        "total_epochs", "total_iters", "train_cfg", "train_dataloader", "tta_model", "tta_pipeline", "val_cfg",
        "val_dataloader", "val_evaluator", "vis_backends", "visualizer", "work_dir", "workflow",
    }
)  # fmt: skip
_SECTIONS = ("optim_wrapper", "optimizer")
# What other programs call the mapping of an optimizer's arguments.
_ARGUMENTS = ("params", "args", "kwargs", "arguments", "config", "options", "hyperparameters")
# So close that nobody means another word: 'optimiser', but not 'optimizer_config'.
_SAME_WORD = 0.85


class MMEngine(Dialect):
    """The configs of MMEngine; those that no dialect recognizes are read as one, too."""

    name = MMENGINE
    title = TITLES[MMENGINE]
    has_paramwise = True
    has_wrapper = True
    names_rules = True
    outdated: ClassVar[tuple[str, ...]] = SIGNS_OF_MMCV1

    def recognize(self, data: Entries) -> Recognition | None:
        found = generation_of(data)
        return found if found is not None and found.dialect == self.name else None

    def defines_optimizer(self, data: Entries) -> bool:
        """Return whether a config has an optimizer section, if only under a misspelt name.

        A section that is None has no optimizer, as in configs for testing only; where a training is set up
        all the same, the reference's runner refuses that.
        """
        given = {name: data[name] for name in _SECTIONS if name in data}
        if any(section is not None for section in given.values()):
            return True
        if given:
            return "optim_wrapper" in given and self.states_length(data)
        return any(_is_misspelt_section(name, value) for name, value in data.items())

    def is_doubtful(self, data: Entries, suffix: str) -> bool:
        """Return whether what a file calls ``optimizer`` may well be another program's.

        Many write ``optimizer: adamw`` or a mapping without a ``type``, and many have an ``lr`` and a
        ``model``. DeepSpeed's and others have the arguments of the class in a mapping of their own.
        """
        if "optim_wrapper" in data or "optimizer" not in data:
            return False
        section = data["optimizer"]
        if suffix == ".py":  # a module's table of optimizers by their short names
            return isinstance(section, Mapping) and "type" not in section and _all_texts(section)
        if not isinstance(section, Mapping) or not section.keys() & {
            "type",
            "typ",
            "paramwise_cfg",
        }:
            return True
        return any(isinstance(section.get(name), Mapping) for name in _ARGUMENTS)

    def settable(self) -> frozenset[str]:
        return _ENTRIES

    def section_names(self, config: Config) -> list[str]:
        return [section_name(config)]

    def read(self, config: Source) -> OptimizerConfig:
        return read_section(config)

    def named_sections(self, data: Entries) -> Mapping[str, Entries]:
        return named_sections(data)

    def read_several(self, config: Source) -> Mapping[str, OptimizerConfig]:
        return read_sections(entries_of(config))

    def scaling(self, config: Source, batch: Batch) -> Scaling | None:
        from optplan.dialects.mmengine.auto_scaling import auto_scaling

        return auto_scaling(entries_of(config), batch, before_groups=self.names_mmcv1)

    def remedy(self, in_paramwise: str) -> str | None:
        return in_paramwise

    def schedulers(self, data: Entries) -> Section:
        from optplan.dialects.mmengine.read_schedulers import read_schedulers

        return read_schedulers(data, self.unread(data))

    def scheduler_entries(self, config: Config) -> dict[str, Any]:
        return _said(config, "param_scheduler", "train_cfg")

    def training(self, data: Entries, per_epoch: int | None) -> Training:
        from optplan.dialects.mmengine.read_training import read_training

        return read_training(data, per_epoch)

    def states_length(self, data: Entries) -> bool:
        from optplan.dialects.mmengine.read_training import sets_up_training

        return sets_up_training(data.get("train_cfg"))

    def length_problems(self, data: Entries) -> Iterator[Problem]:
        from optplan.dialects.mmengine.read_training import refused_by_runner

        if self.states_length(data) and (problem := refused_by_runner(data)):
            yield problem

    def build(self, section: OptimizerConfig, request: BuildRequest) -> GroupBuilder:
        from optplan.constructors.group_builders import CodeBuilder, RulesBuilder
        from optplan.constructors.resolve_constructor import choose_constructor

        chosen = choose_constructor(section)
        if chosen.is_builtin and chosen.rules is not None:
            return RulesBuilder(chosen, section, chosen.rules)
        return CodeBuilder(chosen, section, request.folder, request.batch.world_size)


class Mmcv1(MMEngine):
    """The configs of mmcv 1.x."""

    name = MMCV1
    title = TITLES[MMCV1]
    has_wrapper = False
    names_mmcv1 = True
    outdated = ()
    keeps_scheduler_states = False  # its hooks go on from each group's initial_lr

    def schedulers(self, data: Entries) -> Section:
        from optplan.dialects.mmengine.read_schedulers import read_policies

        return read_policies(data, self.unread(data))

    def unread(self, data: Entries) -> tuple[Unread, ...]:
        from optplan.schedule.unread import HOOK_SECTIONS, find_unread

        return find_unread(data, read=HOOK_SECTIONS)

    def misspelt_schedulers(self, data: Entries) -> Iterator[str]:
        return iter(())

    def scheduler_entries(self, config: Config) -> dict[str, Any]:
        names = ("lr_config", "momentum_config", "runner", "total_epochs", "total_iters")
        return _said(config, *names)

    def training(self, data: Entries, per_epoch: int | None) -> Training:
        from optplan.dialects.mmengine.read_training import read_runner

        return read_runner(data, per_epoch)


def _said(config: Config, *names: str) -> dict[str, Any]:
    data = config.to_dict()
    return {name: data[name] for name in names if data.get(name) is not None}


def _is_misspelt_section(name: object, value: object) -> bool:
    if not isinstance(name, str) or not isinstance(value, Mapping):
        return False
    if "type" not in value and "optimizer" not in value:
        return False
    from difflib import SequenceMatcher

    return any(
        SequenceMatcher(None, name.lower(), section).ratio() >= _SAME_WORD for section in _SECTIONS
    )


def _all_texts(section: Mapping[Any, Any]) -> bool:
    return bool(section) and all(isinstance(value, str) for value in section.values())
