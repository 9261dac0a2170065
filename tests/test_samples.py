"""Every sample config does what its comment says, with the command in its first line."""

from __future__ import annotations

import json
import shlex
from pathlib import Path

import pytest

from tests.conftest import SAMPLES, Invoke
from tests.schema import validate

# lr, weight decay, number of parameters and their elements, counted by hand from the models.
EXPECTED = {
    "custom_constructor.py": [
        (0.00025, 0.05, 2, 448),
        (0.00025, 0.0, 2, 32),
        (0.0005, 0.05, 2, 4_640),
        (0.0005, 0.0, 2, 64),
        (0.001, 0.05, 2, 18_496),
        (0.001, 0.0, 2, 128),
        (0.002, 0.05, 2, 1_235),
    ],
    "bag_of_tricks.py": [(0.1, 0.0001, 55, 25_503_912), (0.1, 0.0, 106, 53_120)],
    "backbone_and_head.py": [
        (0.0, 0.0, 4, 480),
        (2e-05, 0.05, 8, 23_328),
        (0.002, 0.05, 2, 1_235),
    ],
    "bias_lr.py": [(0.02, 0.0005, 19, 132_854_144), (0.04, 0.0, 11, 11_944), (0.02, 0.0, 8, 2_752)],
    "depthwise.py": [(0.045, 4e-05, 37, 3_406_536), (0.045, 0.0, 121, 98_336)],
    "deformable.py": [(0.01, 0.0001, 3, 1_528), (0.02, 0.0001, 3, 34), (0.001, 0.0001, 2, 1_314)],
    "layer_ramp.py": [
        (3.697205891018715e-06, 0.0, 2, 76_032),
        (3.697205891018715e-06, 0.05, 2, 295_296),
        (5.688009063105715e-06, 0.05, 12, 1_774_464),
        (8.750783174008792e-06, 0.05, 12, 1_774_464),
        (1.3462743344628912e-05, 0.05, 12, 1_774_464),
        (2.0711912837890633e-05, 0.05, 12, 1_774_464),
        (3.186448128906251e-05, 0.05, 12, 1_774_464),
        (4.9022278906250016e-05, 0.05, 12, 1_774_464),
        (7.541889062500001e-05, 0.05, 12, 1_774_464),
        (0.00011602906250000002, 0.05, 12, 1_774_464),
        (0.00017850625000000005, 0.05, 12, 1_774_464),
        (0.000274625, 0.05, 12, 1_774_464),
        (0.0004225, 0.05, 12, 1_774_464),
        (0.0006500000000000001, 0.05, 14, 1_775_232),
        (0.001, 0.05, 2, 385_000),
    ],
    "vit_adamw.py": [(0.001, 0.0, 102, 138_088), (0.001, 0.05, 50, 21_912_576)],
    "tied_weights.py": [(0.0003, 0.1, 6, 11_488), (0.0003, 0.0, 9, 320)],
    "gan.py": [
        (0.0001, 0.0, 6, 1_251),
        (0.0004, 0.01, 4, 465),
        (0.0004, 0.0, 2, 32),
    ],
    "train.py": [(None, None, 12, 23_808), (0.001, None, 2, 1_235)],
    "own_model.py": [
        (0.01, 0.0001, 20, 11_166_912),
        (0.01, 0.0, 40, 9_600),
        (0.1, 0.0001, 2, 5_130),
    ],
    "own_class.py": [(0.001, 0.05, 13, 4_905_152), (0.001, 0.0, 25, 5_770)],
    "own_import.py": [(0.01, 0.0005, 6, 23_584), (0.01, 0.0, 6, 224), (0.1, 0.0005, 2, 325)],
    "mmcv1_detector.py": [(0.01, 0.0001, 61, 11_688_512), (0.02, 0.0, 1, 1_000)],
    "mmcv1_segmentor.py": [
        (0.0001, 0.01, 6, 23_584),
        (0.0001, 0.0, 6, 224),
        (0.001, 0.01, 2, 1_235),
    ],
    "inherited.py": [(0.01, 0.0001, 60, 11_176_512), (0.1, 0.0001, 2, 513_000)],
    "layer_decay.py": [
        (2.3757264018058778e-05, 0.0, 3, 76_416),
        (2.3757264018058778e-05, 0.05, 1, 294_912),
        (3.167635202407837e-05, 0.0, 8, 4_992),
        (3.167635202407837e-05, 0.05, 4, 1_769_472),
        (4.223513603210449e-05, 0.0, 8, 4_992),
        (4.223513603210449e-05, 0.05, 4, 1_769_472),
        (5.6313514709472656e-05, 0.0, 8, 4_992),
        (5.6313514709472656e-05, 0.05, 4, 1_769_472),
        (7.508468627929687e-05, 0.0, 8, 4_992),
        (7.508468627929687e-05, 0.05, 4, 1_769_472),
        (0.0001001129150390625, 0.0, 8, 4_992),
        (0.0001001129150390625, 0.05, 4, 1_769_472),
        (0.00013348388671875, 0.0, 8, 4_992),
        (0.00013348388671875, 0.05, 4, 1_769_472),
        (0.000177978515625, 0.0, 8, 4_992),
        (0.000177978515625, 0.05, 4, 1_769_472),
        (0.0002373046875, 0.0, 8, 4_992),
        (0.0002373046875, 0.05, 4, 1_769_472),
        (0.00031640625, 0.0, 8, 4_992),
        (0.00031640625, 0.05, 4, 1_769_472),
        (0.000421875, 0.0, 8, 4_992),
        (0.000421875, 0.05, 4, 1_769_472),
        (0.0005625000000000001, 0.0, 8, 4_992),
        (0.0005625000000000001, 0.05, 4, 1_769_472),
        (0.00075, 0.0, 10, 5_760),
        (0.00075, 0.05, 4, 1_769_472),
        (0.002, 0.05, 1, 384_000),
        (0.001, 0.0, 1, 1_000),
    ],
    "layer_list.py": [
        (0.000125, 0.05, 2, 448),
        (0.000125, 0.0, 2, 32),
        (0.00025, 0.05, 2, 4_640),
        (0.00025, 0.0, 2, 64),
        (0.0005, 0.05, 2, 18_496),
        (0.0005, 0.0, 2, 128),
        (0.001, 0.05, 2, 1_235),
    ],
    "resnet18.json": [
        (0.1, 0.0005, 20, 11_166_912),
        (0.1, 0.0, 40, 9_600),
        (1.0, 0.0005, 2, 513_000),
    ],
    "resnet18.yaml": [(0.1, 0.0001, 22, 11_679_912), (0.1, 0.0, 40, 9_600)],
    # with 16 processes of 32 images each, twice the lr of 256
    "auto_scale_lr.py": [(0.2, 0.0001, 60, 11_176_512), (2.0, 0.0001, 2, 513_000)],
    # 0.005 times the square root of 4 × 2048 / 2048
    "timm_lamb.yaml": [(0.01, 0.02, 21, 11_678_912), (0.01, 0.0, 41, 10_600)],
    # a layer each for what is before the blocks, for 12 blocks with the last norm in the last, and for the head
    "timm_finetune.yaml": [
        (0.0005, 0.0, 3, 192 + 37 * 192 + 192),
        (0.0005, 0.05, 1, 192 * 3 * 16 * 16),
        *[(0.0005, 0.0, 8, 2_496), (0.0005, 0.05, 4, 442_368)] * 11,
        (0.0005, 0.0, 10, 2_880),
        (0.0005, 0.05, 4, 442_368),
        (0.0005, 0.05, 1, 1_920),
        (0.0005, 0.0, 1, 10),
    ],
    "torchtitan.toml": [
        (2.9999999999999997e-05, 0.1, 1, 3_200),
        (0.0003, 0.1, 4, 8_192),
        (0.0003, 0.0, 10, 416),
    ],
    "fairseq2.yaml": [(3e-05, 0.1, 1, 3_200), (0.0003, 0.1, 6, 8_256), (0.0003, 0.0, 8, 352)],
    "resnet18.toml": [
        (0.001, 1e-05, 33, 11_536_000),
        (0.001, 0.0, 17, 5_544),
        (0.0001, 1e-05, 12, 147_968),
    ],
}


# What configs are planned for, and with.
IMPORTED = {"models.py", "stage_decay.py"}


def samples() -> list[Path]:
    kinds = (".py", ".json", ".yaml", ".toml")
    found = [path for path in SAMPLES.iterdir() if path.suffix in kinds]
    return sorted(path for path in found if path.name not in IMPORTED)


def command_of(path: Path) -> list[str]:
    """The words after ``optplan`` of the command in a sample's first line."""
    first = path.read_text("utf-8").splitlines()[0]
    words = shlex.split(first[first.index("optplan ") :].rstrip(' ",'))
    return words[1:]


def show_of(words: list[str]) -> list[str]:
    """A command that shows the plan of the same."""
    return words if words[0] == "show" else ["show", *words[1 : words.index("--model") + 2]]


def test_every_sample_is_expected() -> None:
    assert {path.name for path in samples()} == set(EXPECTED)


@pytest.mark.parametrize("path", samples(), ids=lambda path: path.name)
def test_first_line_runs(path: Path, invoke: Invoke) -> None:
    words = command_of(path)
    done = invoke(*words, "--format", "json")
    assert (done.returncode, done.stderr) == (0, "")
    if words[0] == "schedule":
        validate(json.loads(done.stdout), "schedule-1.0")
        done = invoke(*show_of(words), "--format", "json")
        assert (done.returncode, done.stderr) == (0, "")
    plan = json.loads(done.stdout)
    validate(plan, "plan-1.0")
    assert plan["config"] == f"sample_configs/{path.name}"
    settings = [
        (s["lr"], s["weight_decay"], s["parameters"], s["elements"]) for s in plan["settings"]
    ]
    assert settings == EXPECTED[path.name]
