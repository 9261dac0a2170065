"""What optplan adds to what it cannot do without, from the start of a process to its end.

``--help`` is held against an empty typer app with the same commands and help style; a cold ``show``, which
finds nothing remembered and remembers what it has found, against a bare script that makes the model on the
meta device; a warm one against importing torch.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.bench.table import Row, ratio
from tests.bench.timing import command, medians, usage

_EMPTY_APP = """
import typer
app = typer.Typer(
    name='optplan', add_completion=False, pretty_exceptions_enable=False,
    context_settings={{'help_option_names': ['-h', '--help']}},
)
@app.callback()
def root(): 'See which learning rate and weight decay every parameter will really get, and why.'
{commands}
app(['--help'])
"""

_BARE_SCRIPT = """
import torch, timm
with torch.device('meta'):
    timm.create_model({model!r})
"""

_BARE_TRAINER = """
import torch
from transformers import AutoConfig, AutoModelForCausalLM, Trainer, TrainingArguments
with torch.device('meta'):
    model = AutoModelForCausalLM.from_config(AutoConfig.for_model('llama'))
model.to = lambda *_, **__: model  # nothing to move
arguments = TrainingArguments(output_dir='o', learning_rate=5e-5, weight_decay=0.01, use_cpu=True)
Trainer(model=model, args=arguments).create_optimizer()
"""
_ARGUMENTS = "output_dir: o\nlearning_rate: 5.0e-5\nweight_decay: 0.01\n"

_OWN = """
model = dict(type='torchvision.models.AlexNet', num_classes={classes})
optim_wrapper = dict(optimizer=dict(type='SGD', lr=0.1))
"""
_MOST_FOR_ISOLATION = 1.5

_MODELS = {"resnet50": "bag_of_tricks.py", "vit_large_patch16_224": "vit_adamw.py"}
_OPTPLAN = str(Path(sys.executable).with_name("optplan"))
_SAMPLES = Path(__file__).parents[2] / "sample_configs"


def help_rows(rounds: int) -> Iterator[Row]:
    """The help."""
    from optplan.cli.app import COMMANDS

    commands = "\n".join(
        f"@app.command()\ndef {name}(config: str): 'Show the plan: a row per parameter.'"
        for name in COMMANDS
    )
    empty = _EMPTY_APP.format(commands=commands)
    taken = medians(
        {
            "help": command([_OPTPLAN, "--help"]),
            "empty": command([sys.executable, "-c", empty]),
        },
        rounds=4 * rounds,
    )
    yield ratio(
        "`optplan --help`",
        taken["help"],
        "an empty typer app with the same commands",
        taken["empty"],
        1.2,
    )


def cold_rows(rounds: int) -> Iterator[Row]:
    """A model that is not known."""
    for model in _MODELS:
        bare = [sys.executable, "-c", _BARE_SCRIPT.format(model=model)]
        taken = medians({"show": _cold(_show(model)), "bare": command(bare)}, rounds=rounds)
        yield ratio(
            f"cold `show` of {model}",
            taken["show"],
            "importing torch and timm and making the model",
            taken["bare"],
            1.05,
        )


def warm_rows(rounds: int) -> Iterator[Row]:
    """A model that is known."""
    with TemporaryDirectory() as folder:
        warm = {
            f"show {model}": command(_show(model), OPTPLAN_CACHE_DIR=folder) for model in _MODELS
        }
        torch = command([sys.executable, "-c", "import torch"])
        taken = medians({**warm, "torch": torch}, rounds=2 * rounds)
    for model in _MODELS:
        yield ratio(
            f"warm `show` of {model}",
            taken[f"show {model}"],
            "`import torch`",
            taken["torch"],
            0.15,
        )


def huggingface_rows(rounds: int) -> Iterator[Row]:
    """A model of transformers: with its trainer's arguments, and with a config that takes no library."""
    with TemporaryDirectory() as folder:
        arguments = Path(folder) / "args.yaml"
        arguments.write_text(_ARGUMENTS)
        cold = [_OPTPLAN, "show", str(arguments), "--model", "hf:llama"]
        known = [_OPTPLAN, "show", str(_SAMPLES / "vit_adamw.py"), "--model", "hf:llama"]
        taken = medians(
            {
                "cold": _cold(cold),
                "bare": command([sys.executable, "-c", _BARE_TRAINER]),
                "warm": command(known, OPTPLAN_CACHE_DIR=folder),
                "torch": command([sys.executable, "-c", "import torch"]),
            },
            rounds=rounds,
        )
    bare = "importing transformers, making the model and the trainer's optimizer"
    yield ratio("cold `show` of hf:llama", taken["cold"], bare, taken["bare"], 1.1)
    yield ratio("warm `show` of hf:llama", taken["warm"], "`import torch`", taken["torch"], 0.2)


def own_rows(rounds: int) -> Iterator[Row]:
    """A model that the config itself names, which is built in a process of its own."""
    with TemporaryDirectory() as folder:
        configs = [Path(folder) / f"{number}.py" for number in range(20)]
        for number, config in enumerate(configs):
            config.write_text(_OWN.format(classes=number + 2))
        show = [_OPTPLAN, "show", str(configs[0])]
        check = [_OPTPLAN, "check", "--jobs", "1", *map(str, configs)]
        timers = {name: command(words) for name, words in (("show", show), ("check", check))}
        trusted = {
            f"{name} --trust": command([*words, "--trust"])
            for name, words in (("show", show), ("check", check))
        }
        taken = medians({**timers, **trusted}, rounds=rounds)
    for name, what in (("show", "`show` of a config"), ("check", "`check` of 20 configs")):
        yield ratio(
            f"{what} with a model of its own, in a process of its own",
            taken[name],
            "the same with `--trust`",
            taken[f"{name} --trust"],
            _MOST_FOR_ISOLATION,
        )


def _show(model: str) -> list[str]:
    return [_OPTPLAN, "show", str(_SAMPLES / _MODELS[model]), "--model", model]


def _cold(words: list[str]) -> Callable[[], float]:
    def timer() -> float:
        with TemporaryDirectory() as folder:
            return usage(words, environment={"OPTPLAN_CACHE_DIR": folder}).cpu

    return timer
