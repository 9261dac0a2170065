"""The pictures of the README, drawn by rich from real runs.

Run ``python -m tests.pictures`` where optplan is installed; it writes ``.github/images/*.svg``.
"""

from __future__ import annotations

import io
import shlex
import subprocess
import sys
from pathlib import Path

from rich.console import Console
from rich.text import Text

ROOT = Path(__file__).parents[1]
FOLDER = ROOT / ".github" / "images"

COMMANDS = {
    "show": "show sample_configs/backbone_and_head.py --model sample_configs/models.py:Segmentor",
    "tree": "show sample_configs/vit_adamw.py --model vit_small_patch16_224 --view tree",
    "keys": "show sample_configs/backbone_and_head.py --model sample_configs/models.py:Segmentor "
    "--view keys",
    "explain": "explain sample_configs/backbone_and_head.py "
    "--model sample_configs/models.py:Segmentor backbone.layer0.1.weight",
    "schedule": "schedule sample_configs/layer_ramp.py --model vit_small_patch16_224 "
    "--iters-per-epoch 1251",
    "diff": "diff sample_configs/resnet18.yaml sample_configs/resnet18.json --model resnet18",
}


def run(command: str) -> str:
    """What a command prints, with colours."""
    optplan = Path(sys.executable).with_name("optplan")
    done = subprocess.run(
        [optplan, *shlex.split(command), "--color", "always"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
    )
    if done.returncode not in (0, 1):
        raise SystemExit(f"{command}\n{done.stderr}")
    return done.stdout


def draw(command: str) -> str:
    """The command and its output as SVG."""
    output = Text.from_ansi(run(command).rstrip("\n") + "\n")
    width = max(map(len, [command, *output.plain.splitlines()])) + 2
    console = Console(record=True, width=width, file=io.StringIO(), force_terminal=True)
    console.print(Text(f"$ optplan {command}", style="bold"), soft_wrap=True)
    console.print(output, soft_wrap=True)
    return console.export_svg(title="optplan", unique_id="optplan")


def main() -> None:
    """Write every picture."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name, command in COMMANDS.items():
        (FOLDER / f"{name}.svg").write_text(draw(command), encoding="utf-8")
        print(FOLDER / f"{name}.svg")


if __name__ == "__main__":
    main()
