"""The top-level entries that an override may add to a config: those that somebody reads."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from optplan.config.dialects import Dialect, dialect_of, tables_of
from optplan.config.timm_args import OPTIMIZER_KEYS, is_timm_args
from optplan.dialects.huggingface.arguments import is_training_arguments, known_arguments
from optplan.errors import ConfigError, did_you_mean, listed, quoted

# What the runners of mmengine and of mmcv 1.x, and the scripts that start them, take from a config.
_RUNNER = frozenset(
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
# What timm's train.py takes besides what optplan reads. As read in the repository of timm 1.0.
_TIMM = frozenset(
    {
        "aa", "amp", "amp_dtype", "amp_impl", "apex_amp", "aug_repeats", "aug_splits", "batch_size",
        "bce_loss", "bce_pos_weight", "bce_sum", "bce_target_thresh", "bn_eps", "bn_momentum",
        "channels_last", "checkpoint_hist", "class_map", "clip_grad", "clip_mode", "color_jitter",
        "color_jitter_prob", "cooldown_epochs", "crop_pct", "cutmix", "cutmix_minmax", "data",
        "data_dir", "dataset", "dataset_download", "dataset_trust_remote_code", "decay_epochs",
        "decay_milestones", "decay_rate", "device", "device_modules", "dist_bn", "drop", "drop_block",
        "drop_connect", "drop_path", "epoch_repeats", "epochs", "eval_metric", "experiment",
        "fast_norm", "fuser", "gaussian_blur_prob", "gp", "grad_accum_steps", "grad_checkpointing",
        "grayscale_prob", "head_init_bias", "head_init_scale", "hflip", "img_size", "in_chans",
        "initial_checkpoint", "input_img_mode", "input_key", "input_size", "interpolation", "jsd_loss",
        "layer_decay", "local_rank", "log_interval", "log_wandb", "lr_cycle_decay", "lr_cycle_limit",
        "lr_cycle_mul", "lr_decay_fn", "lr_k_decay", "lr_noise", "lr_noise_pct", "lr_noise_std",
        "lr_stable_timescale", "mean", "min_lr", "mixup", "mixup_mode", "mixup_off_epoch", "mixup_prob",
        "mixup_switch_prob", "model", "model_dtype", "model_ema", "model_ema_decay",
        "model_ema_force_cpu", "model_ema_warmup", "model_kwargs", "naflex_loader", "native_amp",
        "no_aug", "no_ddp_bb", "no_prefetcher", "no_resume_opt", "num_classes", "num_samples", "output",
        "patience_epochs", "pin_mem", "pretrained", "pretrained_path", "ratio", "recount",
        "recovery_interval", "remode", "reprob", "resplit", "resume", "save_images", "scale", "sched",
        "sched_on_updates", "seed", "smoothing", "split_bn", "start_epoch", "std", "sync_bn",
        "synchronize_step", "target_key", "torchcompile", "torchcompile_mode", "torchscript",
        "train_crop_mode", "train_interpolation", "train_num_samples", "train_split", "tta",
        "use_multi_epochs_loader", "val_num_samples", "val_split", "validation_batch_size", "vflip",
        "wandb_project", "wandb_resume_id", "wandb_tags", "warmup_epochs", "warmup_lr", "warmup_prefix",
        "worker_seeding", "workers",
    }
)  # fmt: skip
_TORCHTITAN = frozenset(
    {
        "comm", "compile", "debug", "experimental", "fault_tolerance", "float8", "memory_estimation",
        "model", "mx", "optimizer", "profiling", "quantize", "validation",
    }
)  # fmt: skip
_FAIRSEQ2 = frozenset({"optimizer", "lr_scheduler", "model", "criterion", "validator", "assets"})
_SECTIONS = ("optim_wrapper.optimizer", "optimizer")
# The options of an optimizer that are most often set.
_OPTIONS = frozenset({"lr", "weight_decay", "momentum", "betas", "eps", "nesterov", "type"})
_DEEPEST = 8
_MOST_SEEN = 10_000


def refuse_dead(data: Mapping[str, Any], path: str) -> None:
    """Raise where an override adds a top-level entry that nobody reads.

    Args:
        data: The config before the overrides.
        path: What the override sets: ``lr``, ``optimizer.lr``.

    Raises:
        ConfigError: It is such an override.
    """
    if "." in path or path in data or path == "_delete_":
        return
    known = _known(data)
    if path not in known:
        raise ConfigError(
            f"the config has no {quoted(path)}, and nothing would read it",
            hint=_hint(data, path, known),
        )


def _known(data: Mapping[str, Any]) -> frozenset[str]:
    """Return the names that are read at the top level of a config of this form."""
    if is_timm_args(data):
        return _TIMM | OPTIMIZER_KEYS
    if is_training_arguments(data):
        return known_arguments()
    match dialect_of(data):
        case Dialect.TORCHTITAN:
            return _TORCHTITAN | tables_of(Dialect.TORCHTITAN)
        case Dialect.FAIRSEQ2:
            return _FAIRSEQ2 | tables_of(Dialect.FAIRSEQ2)
        case None:
            return _RUNNER


def _hint(data: Mapping[str, Any], path: str, known: frozenset[str]) -> str:
    """Say what can be set: an entry of that name further down, a name that looks like it, or what there is."""
    if found := _paths_like(data, path):
        return f"did you mean {' or '.join(map(quoted, found))}?"
    near = did_you_mean(path, dict.fromkeys([*data, *sorted(known)]))
    return near or f"what it has can be set, and what stands below: {listed(list(data), most=10)}"


def _paths_like(data: Mapping[str, Any], path: str) -> list[str]:
    """Return up to three paths that end as the given one does, those of the optimizer first."""
    found = [one for one in _paths(data) if one.endswith(f".{path}")]
    if path in _OPTIONS and not any(one.startswith(_SECTIONS) for one in found):
        found += [f"{one}.{path}" for one in _SECTIONS if _holds_section(data, one)][:1]
    found.sort(key=lambda one: (not one.startswith(_SECTIONS), one.count(".")))
    return found[:3]


def _holds_section(data: Any, path: str) -> bool:
    for name in path.split("."):
        data = data.get(name) if isinstance(data, Mapping) else None
    return isinstance(data, Mapping)


def _paths(data: Mapping[str, Any]) -> Iterator[str]:
    """Yield the paths of the entries of a config, the nearest first; of a large one the first ones."""
    waiting: list[tuple[str, Any, int]] = [("", data, 0)]
    for _ in range(_MOST_SEEN):
        if not waiting:
            return
        path, value, depth = waiting.pop(0)
        if path:
            yield path
        if depth == _DEEPEST:
            continue
        start = f"{path}." if path else ""
        if isinstance(value, Mapping):
            waiting += [(f"{start}{name}", one, depth + 1) for name, one in value.items()]
        elif isinstance(value, list | tuple):
            waiting += [(f"{start}{at}", one, depth + 1) for at, one in enumerate(value)]
