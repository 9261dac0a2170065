"""Models from the user's words, built without memory where their code allows it."""

from __future__ import annotations

import logging
import socket
from pathlib import Path

import pytest
import torch
from torch import nn

from optplan import load_model
from optplan.errors import ModelError
from optplan.model import make_inventory, open_model

FACTORIES = """
import torch
from torch import nn

class Net(nn.Linear):
    class Inner(nn.Linear):
        pass

def plain(width=4):
    print('building')
    return nn.Linear(width, 2)

def drop_path(depth=3):
    rates = [x.item() for x in torch.linspace(0, 0.1, depth)]
    return nn.Sequential(*(nn.Sequential(nn.Linear(2, 2), nn.Dropout(rate)) for rate in rates))

def reads_weights():
    net = nn.Linear(2, 2)
    net.first = float(net.weight.sum())
    return net

instance = nn.Linear(3, 3)
"""


@pytest.fixture
def factories(tmp_path: Path) -> str:
    path = tmp_path / "nets.py"
    path.write_text(FACTORIES)
    return str(path)


def is_meta(model: nn.Module) -> list[bool]:
    return sorted({parameter.is_meta for parameter in model.parameters()})


@pytest.mark.parametrize("spec", ["resnet18", "timm:resnet18", "resnet18.a1_in1k"])
def test_timm(spec: str) -> None:
    loaded = open_model(spec, {"num_classes": 7})
    assert type(loaded.module).__name__ == "ResNet"
    assert tuple(loaded.module.get_parameter("fc.bias").shape) == (7,)
    assert (loaded.spec, loaded.source) == (spec, "timm")
    assert is_meta(loaded.module) == [True]


def test_a_name_that_is_too_long_for_a_file() -> None:
    with pytest.raises(ModelError, match="timm has no model 'aaaa"):
        open_model("timm:" + "a" * 5000, {})


def test_a_billion_parameters_take_no_memory() -> None:
    model = load_model("vit_giant_patch14_reg4_dinov2")
    assert sum(parameter.numel() for parameter in model.parameters()) > 1_100_000_000
    assert is_meta(model) == [True]


def test_package() -> None:
    loaded = open_model("torch.nn:Linear", {"in_features": 2, "out_features": 3, "bias": False})
    assert [(name, tuple(p.shape)) for name, p in loaded.module.named_parameters()] == [
        ("weight", (3, 2))
    ]
    assert loaded.source == "import"


def test_file(factories: str, capsys: pytest.CaptureFixture[str]) -> None:
    loaded = open_model(f"{factories}:plain", {"width": 5})
    assert loaded.source == "file"
    assert tuple(loaded.module.get_parameter("weight").shape) == (2, 5)
    assert is_meta(loaded.module) == [True]
    assert capsys.readouterr() == ("", "building\n")


def test_dotted_attribute_and_instance(factories: str) -> None:
    inner = open_model(f"{factories}:Net.Inner", {"in_features": 1, "out_features": 1})
    assert make_inventory(inner.module).class_name == "nets.Net.Inner"
    assert is_meta(load_model(f"{factories}:instance")) == [False]


def test_small_tensors_may_be_read(factories: str, caplog: pytest.LogCaptureFixture) -> None:
    model = load_model(f"{factories}:drop_path")
    assert is_meta(model) == [True]
    assert caplog.messages == []


def test_what_reads_weights_is_built_on_the_cpu(
    factories: str, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        model = load_model(f"{factories}:reads_weights")
    assert is_meta(model) == [False]
    assert caplog.messages == [
        f"'{factories}:reads_weights' cannot be built on meta, so it is built on the CPU"
    ]


def test_no_download_and_the_network_is_back_afterwards(tmp_path: Path) -> None:
    (tmp_path / "m.py").write_text(
        "import torch\n"
        "def net():\n"
        "    torch.hub.load_state_dict_from_url('https://weights.example/x.pth', progress=False)\n"
    )
    before = (socket.getaddrinfo, socket.socket.connect, socket.socket.connect_ex)
    with pytest.raises(ModelError, match=r"tries to download \(from weights\.example\)"):
        load_model(f"{tmp_path}/m.py:net")
    assert (socket.getaddrinfo, socket.socket.connect, socket.socket.connect_ex) == before


def test_no_download_for_an_instance(tmp_path: Path) -> None:
    (tmp_path / "m.py").write_text(
        "import urllib.request\n"
        "net = urllib.request.urlopen('https://weights.example/x.pth').read()\n"
    )
    with pytest.raises(ModelError, match=r"m\.py' tries to download \(from weights\.example\)"):
        load_model(f"{tmp_path}/m.py:net")


def test_no_connection_to_an_address(tmp_path: Path) -> None:
    (tmp_path / "m.py").write_text(
        "import socket\n"
        "def net():\n"
        "    with socket.socket() as own:\n"
        "        raise OSError(own.connect_ex(('192.0.2.1', 80)))\n"
    )
    with pytest.raises(ModelError, match=r"tries to download \(from 192\.0\.2\.1\)"):
        load_model(f"{tmp_path}/m.py:net")


def test_no_retries_without_end(tmp_path: Path) -> None:
    (tmp_path / "m.py").write_text(
        "import socket\n"
        "def net():\n"
        "    while True:\n"
        "        try:\n"
        "            socket.create_connection(('weights.example', 443))\n"
        "        except OSError:\n"
        "            pass\n"
    )
    with pytest.raises(ModelError, match="tries to download"):
        load_model(f"{tmp_path}/m.py:net")


def test_nothing_but_the_report_on_stdout(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "m.py").write_text(
        "import os, sys\nfrom torch import nn\n"
        "os.system('echo import')\n"
        "def net():\n"
        "    print('print')\n"
        "    os.system('echo system')\n"
        "    return nn.Linear(2, 2)\n"
    )
    load_model(f"{tmp_path}/m.py:net")
    print("report")
    captured = capfd.readouterr()
    assert captured.out == "report\n"
    assert sorted(captured.err.split()) == ["import", "print", "system"]


def test_a_file_may_import_its_neighbours(tmp_path: Path) -> None:
    (tmp_path / "optplan_test_neighbour.py").write_text("width = 6\n")
    (tmp_path / "m.py").write_text(
        "from torch import nn\n"
        "from optplan_test_neighbour import width\n"
        "net = lambda: nn.Linear(width, width)\n"
    )
    import sys

    before = list(sys.path)
    model = load_model(f"{tmp_path}/m.py:net")
    assert tuple(next(model.parameters()).shape) == (6, 6)
    assert sys.path == before


def test_the_default_device_is_left_alone(factories: str) -> None:
    load_model(f"{factories}:drop_path")
    assert torch.empty(1).device.type == "cpu"
