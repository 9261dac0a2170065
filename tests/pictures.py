"""The pictures of the README and the pages, from real runs: terminals drawn by rich, pages by chromium.

Run ``python -m tests.pictures`` where optplan and chromium are installed; it writes ``.github/images``.
"""

from __future__ import annotations

import io
import shlex
import shutil
import subprocess
import sys
import tempfile
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
    "memory": "show sample_configs/vit_adamw.py --model vit_small_patch16_224 --view memory "
    "--world-size 8",
    "depth": "show sample_configs/layer_ramp.py --model vit_tiny_patch16_224 --view depth",
    "scale": "scale sample_configs/vit_adamw.py --model vit_small_patch16_224 -k embed_dim=96,192,384",
    "diff": "diff sample_configs/resnet18.yaml sample_configs/resnet18.json --model resnet18",
}
# Each page with the tab that is shown, and whether it is dark.
PAGES = {
    "page": ("show sample_configs/layer_ramp.py --model vit_small_patch16_224", "params", False),
    "page-depth": (
        "show sample_configs/layer_ramp.py --model vit_small_patch16_224",
        "depth",
        True,
    ),
    "page-schedule": (
        "schedule sample_configs/layer_ramp.py --model vit_small_patch16_224 "
        "--iters-per-epoch 1251",
        "schedule",
        False,
    ),
    "page-diff": (COMMANDS["diff"], "diff", False),
}


def run(command: str, *words: str) -> str:
    """What a command prints, with some words more."""
    optplan = Path(sys.executable).with_name("optplan")
    done = subprocess.run(
        [optplan, *shlex.split(command), *words],
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
    output = Text.from_ansi(run(command, "--color", "always").rstrip("\n") + "\n")
    width = max(map(len, [command, *output.plain.splitlines()])) + 2
    console = Console(record=True, width=width, file=io.StringIO(), force_terminal=True)
    console.print(Text(f"$ optplan {command}", style="bold"), soft_wrap=True)
    console.print(output, soft_wrap=True)
    return console.export_svg(title="optplan", unique_id="optplan")


def photograph(name: str) -> Path:
    """A page in chromium, as PNG."""
    command, tab, is_dark = PAGES[name]
    chromium = shutil.which("chromium")
    if chromium is None:
        raise SystemExit("no chromium: apt-get install chromium")
    picture = FOLDER / f"{name}.png"
    with tempfile.TemporaryDirectory() as folder:
        page = Path(folder, "page.html")
        page.write_text(run(command, "--format", "html"), encoding="utf-8")
        subprocess.run(
            [
                chromium,
                *("--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars"),
                *(["--blink-settings=preferredColorScheme=0"] if is_dark else []),
                f"--user-data-dir={folder}/profile",
                f"--screenshot={picture}",
                "--window-size=1200,760",
                f"{page.as_uri()}#{tab}",
            ],
            check=True,
            capture_output=True,
        )
    return picture


def main() -> None:
    """Write every picture."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name, command in COMMANDS.items():
        (FOLDER / f"{name}.svg").write_text(draw(command), encoding="utf-8")
        print(FOLDER / f"{name}.svg")
    for name in PAGES:
        print(photograph(name))


if __name__ == "__main__":
    main()
