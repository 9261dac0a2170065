"""The model that a config names itself: found, built without its weights, and kept from calling what it must not."""

from __future__ import annotations

import contextlib
import logging
import sys
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from torch import nn

from optplan.config import OwnModel, load_config
from optplan.dialects import find_own_model
from optplan.errors import ModelError
from optplan.model import LoadedModel, make_inventory, may_be_installed, open_configured
from optplan.runtime.user_code import import_for_user

SGD = "optimizer = dict(type='SGD', lr=0.1)\n"
Make = Callable[..., OwnModel]


@pytest.fixture
def own(tmp_path: Path) -> Make:
    """The model of a config with this text."""

    def made(text: str, *overrides: str, trust: bool = False) -> OwnModel:
        path = tmp_path / "a.py"
        path.write_text(text + SGD)
        found = find_own_model(load_config(path, overrides=overrides, trust=trust))
        assert found is not None
        return found

    return made


def shapes(loaded: LoadedModel) -> dict[str, tuple[int, ...]]:
    return {name: tuple(p.shape) for name, p in loaded.module.named_parameters()}


def refusal(own: OwnModel) -> str:
    with pytest.raises(ModelError) as caught:
        open_configured(own)
    (problem,) = caught.value.problems
    where = f"{problem.place.line}:{problem.place.column} " if problem.place else ""
    return f"{where}{problem.message} ({problem.hint})"


@pytest.mark.parametrize(
    ("kind", "arguments", "name", "count"),
    [
        ("'resnet18'", "num_classes=7", "resnet18", 62),
        ("'timm:resnet18'", "num_classes=7", "resnet18", 62),
        ("'resnet18.a1_in1k'", "num_classes=7", "resnet18.a1_in1k", 62),
        ("'torch.nn.Linear'", "in_features=2, out_features=3", "torch.nn.Linear", 2),
        ("'torch.nn:Linear'", "in_features=2, out_features=3", "torch.nn:Linear", 2),
    ],
)
def test_by_name(kind: str, arguments: str, name: str, count: int, own: Make) -> None:
    loaded = open_configured(own(f"model = dict(type={kind}, {arguments})\n"))
    assert (loaded.spec, loaded.source) == (name, "config")
    assert len(list(loaded.module.parameters())) == count
    assert all(parameter.is_meta for parameter in loaded.module.parameters())


def test_by_symbol_with_symbols_for_arguments(own: Make) -> None:
    loaded = open_configured(
        own(
            "from timm.models.resnet import BasicBlock, ResNet\n"
            "model = dict(type=ResNet, block=BasicBlock, layers=[1, 1, 1, 1], num_classes=3)\n"
        )
    )
    assert loaded.spec == "ResNet"
    assert shapes(loaded)["fc.weight"] == (3, 512)
    assert make_inventory(loaded.module).class_name == "timm.models.resnet.ResNet"


CLASSIFIER = (
    "default_scope = 'mmpretrain'\n"
    "data_preprocessor = dict(num_classes=10, mean=[0.5], std=[2.0])\n"
    "model = dict(type='ImageClassifier', backbone=dict(type='ResNet', depth=18),\n"
    "    neck=dict(type='GlobalAveragePooling'),\n"
    "    head=dict(type='LinearClsHead', num_classes=10, in_channels=512))\n"
)


def test_registered_in_the_package_of_the_scope(own: Make) -> None:
    loaded = open_configured(own(CLASSIFIER))
    assert loaded.spec == "ImageClassifier"
    assert type(loaded.module).__module__ == "mmpretrain.models.classifiers.image"
    assert shapes(loaded)["head.fc.weight"] == (10, 512)
    # the reference's runner gives it the config's preprocessor
    given: Any = loaded.module.get_submodule("data_preprocessor")
    assert given.mean.flatten().tolist() == [0.5]


@pytest.mark.parametrize("default", ["", "default_scope = 'mmengine'\n"])
def test_a_written_scope(default: str, own: Make) -> None:
    text = CLASSIFIER.replace("default_scope = 'mmpretrain'\n", default)
    scoped = text.replace("'ImageClassifier'", "'ImageClassifier', _scope_='mmpretrain'")
    assert shapes(open_configured(own(scoped)))["head.fc.weight"] == (10, 512)


def test_names_with_their_scope(own: Make) -> None:
    text = CLASSIFIER.partition("\n")[2].replace("type='", "type='mmpretrain.")
    loaded = open_configured(own(text))
    assert loaded.spec == "mmpretrain.ImageClassifier"
    assert shapes(loaded)["head.fc.weight"] == (10, 512)


def test_symbols_of_a_package(own: Make) -> None:
    text = (
        "from mmpretrain.models import GlobalAveragePooling, ImageClassifier, LinearClsHead, ResNet\n"
        + CLASSIFIER.replace("='ImageClassifier'", "=ImageClassifier")
        .replace("='ResNet'", "=ResNet")
        .replace("='GlobalAveragePooling'", "=GlobalAveragePooling")
        .replace("='LinearClsHead'", "=LinearClsHead")
    )
    assert shapes(open_configured(own(text)))["head.fc.weight"] == (10, 512)


MODULE = """
import warnings
from mmengine.logging import print_log
from mmengine.model import BaseModel
from mmengine.registry import MODELS
from torch import nn

@MODELS.register_module()
class {name}(BaseModel):
    calls = []

    def __init__(self, part, init_cfg=None, **others):
        super().__init__(init_cfg=init_cfg)
        print('building')
        warnings.warn('beware')
        print_log('remark', logger='current')
        self.calls.append(dict(init_cfg=init_cfg, part=dict(part), others=others))
        self.kind = part.type
        part.pop('type')
        self.part = nn.Linear(part.width, 2)

    def forward(self, inputs):
        return inputs
"""


@pytest.fixture
def registered(tmp_path: Path) -> Iterator[str]:
    """The name of a class that a file of the user's registers with mmengine."""
    from mmengine.registry import MODELS

    name = "OptplanTestNet"
    path = tmp_path / "optplan_test_registered.py"
    path.write_text(MODULE.format(name=name))
    import_for_user(str(path))
    yield name
    MODELS.module_dict.pop(name)
    sys.modules.pop("optplan_test_registered")


def test_what_the_user_registers(
    registered: str,
    own: Make,
    capfd: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    text = (
        f"model = dict(type='{registered}', part=dict(type='x', width=4, pretrained='a.pth'),\n"
        "    init_cfg=dict(type='Pretrained', checkpoint='b.pth'), pretrained=True)\n"
    )
    found = own(text)
    with caplog.at_level(logging.DEBUG), warnings.catch_warnings():
        warnings.simplefilter("error")
        loaded = open_configured(found)
        again = open_configured(found)  # its code has changed what it was given
    assert shapes(loaded) == shapes(again) == {"part.weight": (2, 4), "part.bias": (2,)}
    calls: Any = loaded.module.calls
    assert calls[0] == {
        "init_cfg": None,
        "part": {"type": "x", "width": 4, "pretrained": None},
        "others": {"pretrained": False},
    }
    assert capfd.readouterr() == ("", "building\n" * 2)
    assert caplog.messages == []


def test_the_config_is_left_as_it_is(registered: str, tmp_path: Path) -> None:
    path = tmp_path / "a.py"
    path.write_text(
        f"model = dict(type='{registered}', part=dict(type='x', width=4, pretrained='a.pth'))\n{SGD}"
    )
    config = load_config(path)
    before = config.to_dict()
    found = find_own_model(config)
    assert found is not None
    open_configured(found)
    assert config.to_dict() == before
    assert config.data["model"]["part"]["pretrained"] == "a.pth"


def test_weights_of_timm_are_left_out(own: Make) -> None:
    open_configured(own("model = dict(type='timm:resnet18', pretrained=True)\n"))
    text = (
        "default_scope = 'mmpretrain'\n"
        "model = dict(type='ImageClassifier', pretrained='https://weights.example/x.pth',\n"
        "    backbone=dict(type='TIMMBackbone', model_name='resnet18', pretrained=True))\n"
    )
    loaded = open_configured(own(text))
    assert "backbone.timm_model.conv1.weight" in shapes(loaded)


NEEDS_WEIGHTS = """
from mmengine.registry import MODELS
from torch import nn


@MODELS.register_module(force=True)
class NeedsPretrained(nn.Module):
    def __init__(self, width, pretrained, init_cfg, checkpoint_path):
        super().__init__()
        assert pretrained in (None, False)
        self.body = nn.Linear(width, width)
        self.given = (pretrained, init_cfg, checkpoint_path)
"""


@pytest.mark.parametrize(
    ("written", "given"),
    [
        ("None, init_cfg=None, checkpoint_path=None", (None, None, None)),
        (
            "'a.pth', init_cfg=dict(type='Pretrained', checkpoint='a'), checkpoint_path='b'",
            (None,) * 3,
        ),
        ("True, init_cfg=[dict(type='Xavier')], checkpoint_path=''", (False, None, None)),
    ],
)
def test_weights_that_a_class_needs_an_argument_for(
    written: str, given: tuple[object, ...], own: Make, tmp_path: Path
) -> None:
    """mmengine passes what is written; without weights that is None, or False for a flag."""
    module = tmp_path / "needs_weights.py"
    module.write_text(NEEDS_WEIGHTS)
    import_for_user(str(module))
    loaded = open_configured(
        own(f"model = dict(type='NeedsPretrained', width=4, pretrained={written})\n")
    )
    assert loaded.module.given == given


def test_custom_imports(own: Make, caplog: pytest.LogCaptureFixture) -> None:
    text = "custom_imports = dict(imports=['mmpretrain.models'])\n" + CLASSIFIER
    assert shapes(open_configured(own(text)))["head.fc.weight"] == (10, 512)
    missing = own("custom_imports = dict(imports=['optplan_test_none'])\n" + CLASSIFIER)
    assert shapes(open_configured(missing))["head.fc.weight"] == (10, 512)
    assert "no installed package provides 'optplan_test_none'" in caplog.text


CALLED = "is no nn.Module class, and a config may call nothing else (--trust calls it all the same)"
REFUSED = [
    ("type='os.system', command='{mark}'", f"1:14 'os.system' {CALLED}"),
    ("type='subprocess.Popen', args='{mark}'", f"1:14 'subprocess.Popen' {CALLED}"),
    ("type='torchvision.models.resnet18'", f"1:14 'torchvision.models.resnet18' {CALLED}"),
    ("type='torch.optim.SGD'", f"1:14 'torch.optim.SGD' {CALLED}"),
    (
        "type='ImageClassifier', backbone=dict(type='os.system', command='{mark}'),"
        " _scope_='mmpretrain'",
        f"1:52 'os.system' {CALLED}",
    ),
    (
        "type='ImageClassifier', backbone=dict(type='subprocess.Popen', args='{mark}'),"
        " _scope_='mmpretrain'",
        f"1:52 'subprocess.Popen' {CALLED}",
    ),
    (
        "type='ImageClassifier', backbone=dict(type='mmengine.runner.Runner', work_dir='{mark}'),"
        " _scope_='mmpretrain'",
        f"1:52 'mmengine.runner.Runner' {CALLED}",
    ),
]


@pytest.mark.parametrize(("section", "message"), REFUSED, ids=[case[0] for case in REFUSED])
def test_calls_nothing_but_modules(section: str, message: str, own: Make, tmp_path: Path) -> None:
    mark = tmp_path / "mark"
    assert refusal(own(f"model = dict({section.format(mark=f'touch {mark}')})\n")) == message
    assert not mark.exists()


def test_a_symbol_must_be_a_module_too(own: Make) -> None:
    assert refusal(own("from torch import save\nmodel = dict(type=save, obj=3)\n")) == (
        f"2:14 'torch.save' {CALLED}"
    )
    # its builder does not call this one
    text = (
        "from torch import save\n"
        "model = dict(type='torch.nn.TransformerEncoderLayer', d_model=4, nhead=2, activation=save)\n"
    )
    assert "linear1.weight" in shapes(open_configured(own(text)))


KEEPS = """
import copy
import inspect

from mmengine.registry import MODELS
from torch import nn


@MODELS.register_module(force=True)
class Keeps(nn.Module):
    def __init__(self, calls=None, builds=None, asks=None, **kept):
        super().__init__()
        self.body = nn.Linear(2, 3)
        self.kept = copy.deepcopy(kept)
        if calls is not None:
            calls.pop('type')(**calls)
        if builds is not None:
            self.built = MODELS.build(builds)
        if asks is not None and not inspect.isclass(asks['type']):
            MODELS.get(asks['type'])
"""


@pytest.fixture
def keeps(own: Make, tmp_path: Path) -> Make:
    """A model with these arguments, which keeps some, calls some and builds some."""
    module = tmp_path / "keeps_model.py"
    module.write_text(KEEPS)
    import_for_user(str(module))
    return lambda words: own(
        "from torch import save\nfrom torchvision.ops import nms\nfrom torch.nn import ReLU\n"
        "from mmengine.hooks import EMAHook\nfrom mmpretrain.models import LinearClsHead, Mixup\n"
        f"import copy\nmodel = dict(type='Keeps', {words})\n"
    )


@pytest.mark.parametrize(
    "words",
    [
        "test_cfg=dict(nms=dict(type=nms, iou_threshold=.5))",
        "codec=dict(type=EMAHook), train_cfg=[dict(type=save), (nms, dict(a=nms))]",
        "act=save, norm=dict(type=ReLU), scale=float, key=len, pick=dict(type=round)",
        "calls=dict(type=ReLU), builds=dict(type=ReLU)",
        "builds=dict(type=LinearClsHead, num_classes=2, in_channels=3)",
        "calls=dict(type=Mixup, alpha=.8), augments=dict(type=Mixup, alpha=.8)",
    ],
)
def test_what_the_builder_does_not_call_is_no_affair_of_the_plan(words: str, keeps: Make) -> None:
    assert shapes(open_configured(keeps(words)))["body.weight"] == (3, 2)


@pytest.mark.parametrize("how", ["calls", "builds", "asks"])
@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("save", "torch.save"),
        ("nms", "torchvision.ops.nms"),
        ("EMAHook", "mmengine.hooks.EMAHook"),
        ("round", "round"),
        ("sum", "sum"),
        ("copy.deepcopy", "deepcopy"),
        ("list", "list"),
    ],
)
def test_what_the_builder_calls_must_be_a_module(
    how: str, name: str, shown: str, keeps: Make
) -> None:
    found = keeps(f"kept=nms, {how}=dict(type={name}, ndigits=-10**9)")
    said = refusal(found)
    assert f"'{shown}' {CALLED}" in said
    assert said.startswith("7:")


def test_a_module_beside_the_config_is_not_imported(
    own: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "beside").mkdir()
    for file in ("__init__", "registry"):
        (tmp_path / "beside" / f"{file}.py").write_text("raise SystemExit('must not run')\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    for text in (
        "model = dict(type='beside.Net')\n",
        "model = dict(type='beside:Net')\n",
        "default_scope = 'beside'\nmodel = dict(type='Net')\n",
        "model = dict(type='ImageClassifier', _scope_='mmpretrain', backbone=dict(type='beside.Net'))\n",
        "model = dict(type='ImageClassifier', _scope_='mmpretrain',\n"
        "    backbone=dict(type='Net', _scope_='beside'))\n",
    ):
        assert "'beside" in (told := refusal(own(text))) or "'Net'" in told, told


def test_trust_calls_functions_and_imports_from_here(
    own: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "optplan_test_beside.py").write_text(
        "from torch import nn\nclass Net(nn.Linear): pass\ndef make(): return Net(2, 3)\n"
    )
    monkeypatch.chdir(tmp_path)
    function = own("model = dict(type='torchvision.models.resnet18', num_classes=2)\n", trust=True)
    assert shapes(open_configured(function))["fc.weight"] == (2, 512)
    here = own("model = dict(type='optplan_test_beside.make')\n", trust=True)
    assert shapes(open_configured(here)) == {"weight": (3, 2), "bias": (3,)}
    assert not may_be_installed(own("model = dict(type='OptplanTest.Make')\n"))
    symbol = own(
        "from optplan_test_beside import Net\nmodel = dict(type=Net, in_features=1, out_features=1)\n",
        trust=True,
    )
    assert open_configured(symbol).spec == "Net"
    sys.modules.pop("optplan_test_beside")


ANOTHER = "name a model: --model resnet50"
UNKNOWN = [
    (
        "type='Nett'",
        "1:14 no installed package provides the model 'Nett' (set default_scope to the package that"
        f" registers it, pass --import with what does, or {ANOTHER})",
    ),
    (
        "type='FasterRCNN', _scope_='mmdet'",
        f"1:14 the model 'FasterRCNN' is one of 'mmdet', which is not installed (install mmdet, or {ANOTHER})",
    ),
    (
        "type='TSN', _scope_='mmaction'",
        f"1:14 the model 'TSN' is one of 'mmaction', which is not installed (install mmaction2, or {ANOTHER})",
    ),
    (
        "type='nothing_here.Net'",
        "1:14 no installed package provides 'nothing_here.Net' (install it, or pass --import nothing_here or"
        " --trust; without them only installed packages are imported)",
    ),
    (
        "type='ImageClasifier', _scope_='mmpretrain'",
        "1:14 the package 'mmpretrain' has no model 'ImageClasifier' (did you mean 'ImageClassifier',",
    ),
    (
        "type='ImageClassifier', backbone=dict(type='ResNett'), _scope_='mmpretrain'",
        "1:52 no installed package provides 'ResNett', which the config's model is made of (did you mean"
        " 'ResNet',",
    ),
    ("type='timm:resnet81'", "1:14 timm has no model 'resnet81' (did you mean 'resnet18', "),
    (
        "type='resnet18', widht=2",
        "1:14 the timm model 'resnet18' raises while it is built: TypeError",
    ),
    (
        "type='torch.nn.Linear', in_features=2",
        "1:14 'torch.nn.Linear' raises while it is built: TypeError",
    ),
    (
        "type='BlipCaption', _scope_='mmpretrain'",
        "1:14 'BlipCaption' raises while it is built: ImportError: ",
    ),
]


@pytest.mark.parametrize(("section", "message"), UNKNOWN, ids=[case[0] for case in UNKNOWN])
def test_unknown(section: str, message: str, own: Make) -> None:
    assert refusal(own(f"model = dict({section})\n")).startswith(message)


def test_a_package_that_raises_is_imported_once(own: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    import optplan.registries

    tried = []

    def failing(dotted: str, *, trusted: bool) -> object:
        tried.append(dotted)
        raise ModuleNotFoundError("No module named 'ftfy'")

    monkeypatch.setattr(optplan.registries, "_BROKEN", {})
    monkeypatch.setattr("optplan.registries.import_named", failing)
    for _ in range(2):
        told = refusal(own("model = dict(type='EncoderDecoder', _scope_='mmseg')\n"))
        assert told.startswith(
            "1:14 the package 'mmseg' is installed but raises on import: ModuleNotFoundError: No module"
            " named 'ftfy' "
        )
        assert told.endswith(f"({ANOTHER})")
    assert tried == ["mmseg.registry.MODELS"]


def test_what_is_no_own_model(tmp_path: Path) -> None:
    path = tmp_path / "a.py"
    for text in ("", "model = 'resnet18'\n", "model = None\n", "model = dict(depth=3)\n"):
        path.write_text(text + SGD)
        assert find_own_model(load_config(path)) is None


def test_equal_models_have_one_key(own: Make) -> None:
    def key(*changes: tuple[str, str]) -> str:
        text = CLASSIFIER
        for before, after in changes:
            text = text.replace(before, after)
        return own(text).key

    weights = ("depth=18", "depth=18, init_cfg=dict(type='Pretrained', checkpoint='a.pth')")
    assert key() == key(weights)
    assert key() == key(("default_scope", "lr = 3\ndefault_scope"))
    for change in (
        ("depth=18", "depth=34"),
        ("mean=[0.5]", "mean=(0.5,)"),
        ("'mmpretrain'", "'mmseg'"),
        ("num_classes=10, in", "num_classes='10', in"),
        ("default_scope", "custom_imports = dict(imports=['a'])\ndefault_scope"),
    ):
        assert key() != key(change), change


def test_norms_that_their_model_keeps_in_eval_mode() -> None:
    class Still(nn.Sequential):
        def train(self, mode: bool = True) -> Still:
            super().train(mode)
            self[0].eval()
            self[1].requires_grad_(False)
            return self

    model = Still(nn.BatchNorm1d(2), nn.BatchNorm1d(2))
    model.eval()
    model.requires_grad_(True)
    found = make_inventory(model, spec="net", source="import")
    assert [f.owner_keeps_statistics for f in found.parameters] == [False, False, True, True]
    assert [module.training for module in model.modules()] == [False, False, False]
    assert all(parameter.requires_grad for parameter in model.parameters())
    # a user's own module is not run
    assert all(f.owner_keeps_statistics for f in make_inventory(model).parameters)


@pytest.mark.filterwarnings("ignore")
def test_a_scope_inside_imports_no_other_module(
    own: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of the standard library there is one that opens a browser."""
    opened: list[object] = []
    monkeypatch.setattr("webbrowser.open", lambda *_: opened.append(1))
    monkeypatch.delitem(sys.modules, "antigravity", raising=False)
    section = (
        "type='ImageClassifier', backbone=dict(type='ResNet', depth=18, _scope_='antigravity')"
    )
    with contextlib.suppress(ModelError):
        open_configured(own(f"default_scope = 'mmpretrain'\nmodel = dict({section})\n"))
    assert opened == []
    assert "antigravity" not in sys.modules
