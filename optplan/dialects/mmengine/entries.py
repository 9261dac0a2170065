"""What the runners of MMEngine and of mmcv 1.x, and the scripts that start them, take from a config."""

from __future__ import annotations

ENTRIES = frozenset(
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
