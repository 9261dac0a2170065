"""``diff`` of files of two trainers: the plans of both, by whatever made them."""

from __future__ import annotations

import json
from itertools import combinations
from pathlib import Path

import pytest

from tests.conftest import Invoke
from tests.dialects.foreign_files import TRAINERS

FILES = {
    "arguments.yaml": "learning_rate: 0.001\nweight_decay: 0.0\noptim: adamw_torch\noutput_dir: out\n",
    "hydra.yaml": "optimizer: {_target_: torch.optim.AdamW, lr: 0.002, weight_decay: 0.1}\n",
    "rtdetr.yml": "optimizer: {type: AdamW, lr: 0.003, params: [{params: norm, weight_decay: 0.0}]}\n",
    "torchtune.yaml": "tokenizer: {_component_: a.b}\nmodel: {_component_: a.c}\n"
    "optimizer: {_component_: torch.optim.AdamW, lr: 0.004}\n",
    "mmengine.yaml": "optim_wrapper: {optimizer: {type: AdamW, lr: 0.006}}\n",
    "timm.yaml": "opt: adamw\nlr: 0.007\nsched: cosine\nepochs: 3\nmodel: resnet18\n",
}
RATES = dict(zip(FILES, (0.001, 0.002, 0.003, 0.004, 0.006, 0.007), strict=True))


@pytest.mark.parametrize(("first", "second"), list(combinations(FILES, 2)))
def test_every_pair(first: str, second: str, tmp_path: Path, invoke: Invoke) -> None:
    for name in (first, second):
        (tmp_path / name).write_text(FILES[name])
    words = ("--model", "torch.nn:Linear", "-k", "in_features=2", "-k", "out_features=2")
    done = invoke("diff", first, second, *words, "--format", "json", cwd=tmp_path)
    assert done.returncode == 1, done.stderr
    text = json.dumps(json.loads(done.stdout))
    assert str(RATES[first]) in text
    assert str(RATES[second]) in text


def test_a_file_that_is_not_read_says_so(tmp_path: Path, invoke: Invoke) -> None:
    name, text = TRAINERS["ms-swift"]
    (tmp_path / name).write_text(text)
    (tmp_path / "args.yaml").write_text(FILES["arguments.yaml"])
    done = invoke("diff", "args.yaml", name, "--model", "hf:llama", cwd=tmp_path)
    assert done.returncode == 2
    assert f"{name}: it is a file of ms-swift" in done.stderr
