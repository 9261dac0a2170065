"""The files that optplan knows by their entries and does not read, a row each.

As read in the trainers' repositories. An entry with dots is one of a section of that name. Words that many programs
have at their top never tell alone.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from optplan.dialects.foreign import functions
from optplan.dialects.foreign.functions import PlainFunction


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """One kind of file.

    Args:
        title: What reports call it.
        needs: Entries that all of its files have.
        signs: Entries that tell it, beside those.
        least: How many of the signs are needed.
        function: What makes the trainer's optimizer.
        remedy: What to do, where the file makes no optimizer.
    """

    title: str
    needs: tuple[str, ...] = ()
    signs: tuple[str, ...] = ()
    least: int = 2
    function: PlainFunction | None = None
    remedy: str = ""

    def found_in(self, data: Mapping[str, Any]) -> tuple[str, ...]:
        """Return the entries by which a file is of this kind; none where it is not."""
        if not all(has_entry(data, one) for one in self.needs):
            return ()
        found = tuple(one for one in self.signs if has_entry(data, one))
        return (*self.needs, *found) if len(found) >= self.least else ()


def has_entry(data: Mapping[str, Any], path: str) -> bool:
    """Return whether a file has an entry, ``a.b`` in a section."""
    head, _, rest = path.partition(".")
    if not rest:
        return head in data
    inner = data.get(head)
    return isinstance(inner, Mapping) and has_entry(inner, rest)


_NO_OPTIMIZER = "it has no optimizer: name the arguments of the trainer that reads it, or the function that makes it"
_NO_TRAINING = "it sets up no optimizer: name the file that does"

KINDS = (
    Kind(
        title="LLaMA-Factory",
        needs=("model_name_or_path",),
        signs=(
            "cutoff_len", "dataset_dir", "export_dir", "finetuning_type", "infer_backend", "lora_target",
            "max_samples", "overwrite_cache", "plot_loss", "preprocessing_num_workers", "stage", "template",
        ),
        function=functions.LLAMA_FACTORY,
    ),
    Kind(
        title="LLaMA-Factory",
        needs=("model",),
        signs=("dist_config", "kernel_config", "model_class", "peft_config", "sample_backend", "train_dataset"),
        function=functions.TRAINER,
    ),
    Kind(
        title="ms-swift",
        needs=("model",),
        signs=(
            "cross_entropy_loss_fusion", "dataset_num_proc", "load_from_cache_file", "model_author",
            "padding_free", "rlhf_type", "split_dataset_ratio", "swift_version", "train_type", "tuner_backend",
            "tuner_type",
        ),
        function=functions.TRAINER,
    ),
    Kind(
        title="NeMo",
        needs=("model.optim",),
        signs=("exp_manager", "model.optim.sched", "model.train_ds", "trainer"),
        function=functions.NEMO,
    ),
    Kind(
        title="OLMo-core",
        needs=("train_module.optim",),
        signs=("data_loader", "dataset", "init_seed", "model", "train_module.rank_microbatch_size", "trainer"),
        function=functions.OLMO_CORE,
    ),
    Kind(
        title="fairseq",
        signs=("criterion._name", "lr_scheduler._name", "model._name", "optimizer._name", "task._name"),
        function=functions.PLAIN_CLASS,
    ),
    Kind(
        title="litgpt",
        needs=("checkpoint_dir",),
        signs=("devices", "lora_r", "optimizer", "train.global_batch_size", "train.micro_batch_size", "precision"),
        least=3,
        function=functions.PLAIN_CLASS,
    ),
    Kind(
        title="litgpt",
        needs=("train.global_batch_size", "train.micro_batch_size"),
        signs=("model_name", "optimizer", "tokenizer_dir"),
        function=functions.PLAIN_CLASS,
    ),
    Kind(
        title="detectron2",
        signs=(
            "DATALOADER.NUM_WORKERS", "DATASETS.TEST", "DATASETS.TRAIN", "INPUT.MIN_SIZE_TRAIN",
            "MODEL.ANCHOR_GENERATOR", "MODEL.BACKBONE", "MODEL.KEYPOINT_ON", "MODEL.MASK_ON",
            "MODEL.META_ARCHITECTURE", "MODEL.RESNETS", "MODEL.ROI_HEADS", "MODEL.RPN", "MODEL.WEIGHTS",
            "SOLVER.IMS_PER_BATCH", "SOLVER.MAX_ITER", "SOLVER.STEPS", "_BASE_",
        ),
        function=functions.DETECTRON2,
    ),
    Kind(
        title="a model of ultralytics",
        needs=("backbone", "head", "nc"),
        least=0,
        remedy="it is a model and no training: name the args.yaml that trains it",
    ),
    Kind(
        title="a data set of ultralytics",
        needs=("names", "train", "val"),
        least=0,
        remedy=_NO_TRAINING,
    ),
    Kind(
        title="a model of Hugging Face",
        needs=("model_type",),
        signs=("architectures", "transformers_version", "torch_dtype", "vocab_size", "hidden_size"),
        remedy="it is a model and no training: give its folder to --model as hf:FOLDER, beside the training's file",
    ),
    Kind(
        title="an adapter of peft",
        needs=("peft_type",),
        signs=("base_model_name_or_path", "inference_mode", "target_modules", "task_type"),
        remedy="it is an adapter and no training: give it to --peft, beside the training's file",
    ),
    Kind(
        title="accelerate",
        needs=("distributed_type",),
        signs=("compute_environment", "machine_rank", "num_machines", "num_processes", "rdzv_backend"),
        remedy=_NO_TRAINING,
    ),
    Kind(
        title="DeepSpeed",
        signs=(
            "fp16.enabled", "bf16.enabled", "gradient_clipping", "scheduler.params",
            "steps_per_print", "train_batch_size", "train_micro_batch_size_per_gpu", "wall_clock_breakdown",
            "zero_optimization", "zero_optimization.stage",
        ),
        remedy=_NO_OPTIMIZER,
    ),
    Kind(
        title="a part of RT-DETR's files",
        signs=("clip_max_norm", "ema.type", "lr_warmup_scheduler", "use_amp", "use_ema"),
        remedy=_NO_TRAINING,
    ),
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Script:
    """One kind of Python file, which is read as text alone.

    Args:
        title, function: As for a kind.
        signs: What its text has, all of it, with what reports say of each.
    """

    title: str
    signs: Mapping[str, re.Pattern[str]]
    function: PlainFunction

    def found_in(self, text: str) -> tuple[str, ...]:
        """Return what tells that a file is of this kind; none where it is not."""
        return tuple(self.signs) if all(one.search(text) for one in self.signs.values()) else ()


def _line(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern, re.MULTILINE)


SCRIPTS = (
    Script(
        title="detectron2 (LazyConfig)",
        signs={
            "an import of detectron2": _line(r"^(?:from|import) detectron2\b"),
            "LazyCall or get_config": _line(r"^[^#\n]*\b(?:LazyCall|L\(|get_config\()"),
        },
        function=functions.LAZY_CONFIG,
    ),
    Script(
        title="torchtitan (Python registry)",
        signs={
            "an import of torchtitan": _line(r"^from torchtitan\b"),
            "functions that return Trainer.Config": _line(r"^def \w+\(.*\) -> \w*Trainer\.Config:"),
        },
        function=functions.TORCHTITAN,
    ),
    Script(
        title="OLMo-core (script)",
        signs={
            "an import of olmo_core": _line(r"^from olmo_core\b"),
            "TransformerTrainModuleConfig": _line(r"\bTransformerTrainModuleConfig\("),
        },
        function=functions.OLMO_CORE_SCRIPT,
    ),
)


def kind_of(data: Mapping[str, Any]) -> tuple[Kind, tuple[str, ...]] | None:
    """Return the kind of a file, and the entries that tell it; None where none is known."""
    names = data.keys()
    likely = (one for one, heads in _HEADS if not heads.isdisjoint(names))
    return next(((one, found) for one in likely if (found := one.found_in(data))), None)


# Without one of these at its top a file is not of that kind: most are told apart at once.
_HEADS = [
    (one, frozenset(name.partition(".")[0] for name in one.needs[:1] or one.signs)) for one in KINDS
]


def script_of(text: str) -> tuple[Script, tuple[str, ...]] | None:
    """Return the kind of a Python file, and what in its text tells it; None where none is known."""
    return next(((one, found) for one in SCRIPTS if (found := one.found_in(text))), None)
