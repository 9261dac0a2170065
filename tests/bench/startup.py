"""What optplan adds to what it cannot do without. Run ``python -m tests.bench.startup``.

``--help`` is held against an empty typer app with the same commands and help style, a cold ``show``
against a bare script that imports torch and timm and makes the model on the meta device.
"""

from __future__ import annotations

import sys
from pathlib import Path

from tests.bench.timing import command, medians

EMPTY_APP = """
import typer
app = typer.Typer(name='optplan', add_completion=False, pretty_exceptions_enable=False)
@app.callback()
def root(): 'See which learning rate and weight decay every parameter will really get, and why.'
{commands}
app(['--help'])
"""

BARE_SCRIPT = """
import torch, timm
with torch.device('meta'):
    timm.create_model({model!r})
"""

MODELS = {"resnet50": "bag_of_tricks.py", "vit_large_patch16_224": "vit_adamw.py"}


def commands_of(app: str) -> str:
    """The command functions of an app that does nothing."""
    return "\n".join(
        f"@app.command()\ndef {name}(config: str): 'Show the plan: a row per parameter.'"
        for name in app.split()
    )


def main(rounds: int = 5) -> None:
    """Print the ratios."""
    from optplan.cli.app import app

    names = " ".join(
        info.name or str(getattr(info.callback, "__name__", "")) for info in app.registered_commands
    )
    optplan = str(Path(sys.executable).with_name("optplan"))
    empty = EMPTY_APP.format(commands=commands_of(names))
    taken = medians(
        {
            "help": command([optplan, "--help"]),
            "empty": command([sys.executable, "-c", empty]),
        },
        rounds=4 * rounds,
    )
    print(f"--help to an empty typer app: {taken['help'] / taken['empty']:.2f}")
    samples = Path(__file__).parents[2] / "sample_configs"
    for model, sample in MODELS.items():
        taken = medians(
            {
                "show": command([optplan, "show", str(samples / sample), "--model", model]),
                "bare": command([sys.executable, "-c", BARE_SCRIPT.format(model=model)]),
            },
            rounds=rounds,
        )
        print(f"cold show of {model} to the bare script: {taken['show'] / taken['bare']:.3f}")


if __name__ == "__main__":
    main()
