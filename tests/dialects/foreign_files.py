"""Files of other trainers, and of other programs, as short as they still are what they are: written for the tests."""

from __future__ import annotations

# By what reports call it: the name of a file, and its text.
TRAINERS = {
    "LLaMA-Factory": (
        "llama_factory.yaml",
        """
model_name_or_path: org/tiny
stage: sft
do_train: true
finetuning_type: full
template: default
dataset: answers
output_dir: out
learning_rate: 1.0e-5
""",
    ),
    "ms-swift": (
        "swift.yaml",
        """
model: org/tiny
tuner_type: lora
dataset: [org/answers]
split_dataset_ratio: 0.1
learning_rate: 1e-4
per_device_train_batch_size: 1
output_dir: out
""",
    ),
    "NeMo": (
        "nemo.yaml",
        """
name: tiny
model:
  train_ds: {batch_size: 16}
  encoder: {_target_: nemo.collections.asr.modules.ConvASREncoder}
  optim:
    name: adamw
    lr: 0.002
    betas: [0.9, 0.98]
    sched: {name: CosineAnnealing, warmup_steps: 100}
trainer: {max_epochs: 3}
exp_manager: {exp_dir: null}
""",
    ),
    "OLMo-core": (
        "olmo.json",
        """
{"_CLASS_": "scripts.Experiment", "init_seed": 1,
 "model": {"_CLASS_": "olmo_core.nn.transformer.config.TransformerConfig", "d_model": 64},
 "train_module": {"optim": {"_CLASS_": "olmo_core.optim.AdamWConfig", "lr": 0.001}}}
""",
    ),
    "fairseq": (
        "fairseq.yaml",
        """
task: {_name: masked_lm}
criterion: {_name: masked_lm}
optimizer: {_name: adam, adam_betas: "(0.9,0.98)", groups: {}}
lr_scheduler: {_name: cosine}
""",
    ),
    "litgpt": (
        "litgpt.yaml",
        """
checkpoint_dir: checkpoints/tiny
precision: bf16-true
devices: 1
train: {global_batch_size: 8, micro_batch_size: 1}
optimizer:
  class_path: torch.optim.AdamW
  init_args: {lr: 0.0002}
""",
    ),
    "detectron2": (
        "detectron2.yaml",
        """
_BASE_: "Base-RCNN.yaml"
MODEL:
  META_ARCHITECTURE: "RetinaNet"
  ANCHOR_GENERATOR: {SIZES: !!python/object/apply:eval ["[[x] for x in (32, 64)]"]}
SOLVER: {BASE_LR: 0.01, STEPS: (60, 80)}
""",
    ),
    "detectron2 (LazyConfig)": (
        "lazy.py",
        """
import torch
from detectron2.config import LazyCall as L
from detectron2.solver.build import get_default_optimizer_params

optimizer = L(torch.optim.SGD)(params=L(get_default_optimizer_params)(), lr=0.02)
""",
    ),
    "torchtitan (Python registry)": (
        "registry.py",
        """
from torchtitan.trainer import Trainer

def tiny() -> Trainer.Config:
    return Trainer.Config()
""",
    ),
    "OLMo-core (script)": (
        "olmo_script.py",
        """
from olmo_core.train.train_module import TransformerTrainModuleConfig

def build(cli):
    return TransformerTrainModuleConfig(rank_microbatch_size=1)
""",
    ),
    "a model of ultralytics": (
        "tiny_yolo.yaml",
        "nc: 3\nbackbone: [[-1, 1, Conv, [8, 3, 2]]]\nhead: [[[0], 1, Detect, [nc]]]\n",
    ),
    "a data set of ultralytics": (
        "animals.yaml",
        "path: animals\ntrain: images/train\nval: images/val\nnames: {0: cat, 1: dog}\n",
    ),
    "a model of Hugging Face": (
        "config.json",
        '{"architectures": ["LlamaForCausalLM"], "model_type": "llama", "hidden_size": 8}',
    ),
    "an adapter of peft": (
        "adapter_config.json",
        '{"peft_type": "LORA", "base_model_name_or_path": "org/tiny", "task_type": "CAUSAL_LM", "r": 8}',
    ),
    "DeepSpeed": (
        "deepspeed.json",
        '{"train_batch_size": "auto", "zero_optimization": {"stage": 1}, "bf16": {"enabled": true}}',
    ),
    "a part of RT-DETR's files": (
        "runtime.yml",
        "use_ema: True\nuse_amp: True\nclip_max_norm: 0.1\n",
    ),
    "accelerate": (
        "machines.yaml",
        "compute_environment: LOCAL_MACHINE\ndistributed_type: FSDP\nnum_machines: 1\nnum_processes: 8\n",
    ),
}

# Files of programs that train nothing, or say nothing of an optimizer.
OTHERS = {
    "package.json": '{"name": "site", "version": "1.0.0", "scripts": {"train": "node t.js"}, "devDependencies": {"vite": "^5"}}',
    "tsconfig.json": '{"compilerOptions": {"target": "es2020", "module": "esnext"}, "include": ["src"]}',
    "composer.json": '{"name": "a/b", "config": {"optimize-autoloader": true}, "require": {"php": ">=8"}}',
    "docker-compose.yml": "services:\n  web:\n    image: nginx\n    ports: ['80:80']\nvolumes: {data: {}}\n",
    "pyproject.toml": '[project]\nname = "x"\n[tool.ruff]\nline-length = 100\n',
    "Cargo.toml": '[package]\nname = "x"\n[profile.release]\nopt-level = 3\n',
    "workflow.yml": "name: ci\non: [push]\njobs:\n  test:\n    runs-on: ubuntu-latest\n    steps: [{run: make}]\n",
    "pre-commit.yaml": "repos:\n  - repo: https://example.org/hooks\n    rev: v1\n    hooks: [{id: ruff}]\n",
    "mkdocs.yml": "site_name: x\ntheme: {name: material}\nnav: [{Home: index.md}]\nplugins: [search]\n",
    "deployment.yaml": "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: x}\nspec: {replicas: 2, template: {}}\n",
    "values.yaml": "replicaCount: 1\nimage: {repository: nginx, tag: ''}\nresources: {}\nservice: {type: ClusterIP}\n",
    "chart_template.yaml": "kind: ConfigMap\nmetadata:\n  name: {{ .Release.Name }}\n",
    "annotations.json": '{"info": {}, "images": [{"id": 1}], "annotations": [{"bbox": [0, 0, 1, 1]}], "categories": []}',
    "tokenizer_config.json": '{"tokenizer_class": "LlamaTokenizer", "model_max_length": 512, "chat_template": "x"}',
    "tokenizer.json": '{"version": "1.0", "model": {"type": "BPE", "vocab": {}}, "added_tokens": []}',
    "special_tokens_map.json": '{"bos_token": "<s>", "eos_token": "</s>"}',
    "generation_config.json": '{"bos_token_id": 1, "transformers_version": "5.0.0", "temperature": 0.6}',
    "preprocessor_config.json": '{"do_resize": true, "image_mean": [0.5], "image_processor_type": "ViTImageProcessor"}',
    "model.safetensors.index.json": '{"metadata": {"total_size": 1}, "weight_map": {"a.weight": "x"}}',
    "trainer_state.json": '{"epoch": 1.0, "global_step": 10, "log_history": [{"learning_rate": 0.1, "loss": 1.0}]}',
    "dataset_infos.json": '{"default": {"features": {"text": {"dtype": "string"}}, "splits": {"train": {}}}}',
    "environment.yml": "name: x\nchannels: [conda-forge]\ndependencies: [python=3.11, pytorch]\n",
    "dependabot.yml": "version: 2\nupdates: [{package-ecosystem: pip, directory: /, schedule: {interval: weekly}}]\n",
    "openapi.yaml": "openapi: 3.0.0\ninfo: {title: x, version: '1'}\npaths: {}\ncomponents: {schemas: {}}\n",
    "prometheus.yml": "global: {scrape_interval: 15s}\nscrape_configs: [{job_name: x}]\n",
    "dvc.yaml": "stages:\n  train: {cmd: python train.py, deps: [data], params: [lr], outs: [model]}\n",
    "mlflow.yaml": "name: x\nentry_points: {main: {parameters: {lr: {type: float, default: 0.1}}, command: train}}\n",
    "sweep.yaml": "program: train.py\nmethod: bayes\nparameters: {lr: {min: 0.0001, max: 0.1}, optimizer: {values: [adam, sgd]}}\n",
    "playbook.yml": "hosts: all\ntasks: [{name: x, shell: ls}]\nvars: {model: a}\n",
    "merge.yaml": "base_model: org/tiny\nmerge_method: slerp\nmodels: [{model: a}, {model: b}]\ndtype: bfloat16\n",
    "eval.yaml": "task: arc_easy\ndataset_path: org/arc\ndoc_to_text: '{{question}}'\nmetric_list: [{metric: acc}]\n",
    "webpack.json": '{"mode": "production", "optimization": {"minimize": true}, "entry": "./a.js"}',
    "query_engine.yaml": "optimizer: cost_based\nconnector: hive\nnode: {id: 1}\n",
    "optimizer_rules.json": '{"optimizer": {"rules": ["a"], "enabled": true}, "catalog": "x"}',
}
