"""OPT001 to OPT007: the section itself, mostly without a model."""

from __future__ import annotations

from pathlib import Path

import pytest
from torch import nn

from optplan.app.planning import make_plan
from optplan.config import Symbol, load_config
from optplan.dialects import find_optimizer
from optplan.errors import ConfigError
from optplan.names import ProblemKind
from tests.checks.given import Files, config_of, context_of, found, lines, meta, section_of
from tests.checks.models import Net
from tests.conftest import Invoke

NO_DECAY = "type='SGD', lr=0.1"


def test_opt001_decay_multipliers_without_a_base() -> None:
    text = section_of(
        "norm_decay_mult=0., flat_decay_mult=0., custom_keys={'a': dict(decay_mult=0.)}", NO_DECAY
    )
    expected = [
        "a.py:2:24 error: norm_decay_mult multiplies a base weight_decay, but the optimizer sets none"
        " (set weight_decay in the optimizer)",
        "a.py:2:44 error: flat_decay_mult multiplies a base weight_decay, but the optimizer sets none:"
        " it does nothing (set weight_decay in the optimizer)",
        "a.py:2:87 error: decay_mult of custom key 'a' multiplies a base weight_decay, but the optimizer"
        " sets none (set weight_decay in the optimizer)",
    ]
    context = context_of(text)
    assert lines("OPT001", context) == expected
    assert lines("OPT001", context_of(text, meta(Net))) == expected
    assert [finding.key for finding in found("OPT001", context)] == [
        "optim_wrapper.paramwise_cfg.norm_decay_mult",
        "optim_wrapper.paramwise_cfg.flat_decay_mult",
        "optim_wrapper.paramwise_cfg.custom_keys.a.decay_mult",
    ]


@pytest.mark.parametrize(
    "text",
    [
        section_of("norm_decay_mult=0., custom_keys={'a': dict(decay_mult=0.)}"),
        section_of("bias_lr_mult=2., flat_decay_mult=None, custom_keys=dict(a=dict())", NO_DECAY),
        section_of("norm_decay_mult=0., flat_decay_mult=0.", "type='SGD', lr=1, weight_decay=0"),
        section_of("norm_decay_mult=0.), constructor=dict(a=1", NO_DECAY),
        section_of("norm_decay_mult=0.), constructor=str('TheirConstructor'", NO_DECAY),
    ],
)
def test_opt001_is_silent(text: str) -> None:
    assert lines("OPT001", context_of(text)) == []


@pytest.mark.parametrize(
    "name", ["norm_decay_mult", "bias_decay_mult", "dwconv_decay_mult", "flat_decay_mult"]
)
def test_opt001_tells_all_that_the_config_refuses(name: str) -> None:
    context = context_of(section_of(f"{name}=0., custom_keys=dict(a=dict(decay_mult=1))", NO_DECAY))
    assert context.problems(None) == ()
    told = {finding.place for finding in found("OPT001", context)}
    assert {problem.place for problem in context.problems(ProblemKind.NO_BASE_VALUE)} <= told


def test_opt001_no_base_lr() -> None:
    text = section_of("custom_keys={'head': dict(decay_mult=0.)}", "type='SGD', weight_decay=0.1")
    context = context_of(text, meta(Net))
    assert lines("OPT001", context) == [
        "a.py:2:37 error: custom key 'head' multiplies a base lr for 'head.weight', but the optimizer sets"
        " no lr (set lr in the optimizer) [head.weight]"
    ]
    assert lines("OPT006", context) == []
    near = text.replace("'head'", "'heat'")
    assert lines("OPT001", context_of(near, meta(Net))) == []
    assert lines("OPT001", context_of(text)) == []


def test_opt002_inside_the_optimizer() -> None:
    context = context_of(
        "optim_wrapper = dict(optimizer=dict(type='SGD', lr=1, paramwise_cfg=dict(bias_lr_mult=2)))"
    )
    assert lines("OPT002", context) == [
        "a.py:1:55 error: 'paramwise_cfg' inside 'optim_wrapper.optimizer' reaches the optimizer class as"
        " an argument (put it beside 'optimizer', inside 'optim_wrapper')"
    ]
    assert context.section is None
    assert context.problems(None) == ()
    assert lines("OPT003", context) == []


def test_opt002_where_nothing_reads_it() -> None:
    context = context_of(
        "paramwise_cfg = dict(bias_lr_mult=2)\n"
        "optim_wrapper = dict(optimizer=dict(type='SGD', lr=1), paramwise_cfg=dict(norm_decay_mult=1))\n"
        "optimizer_config = dict(paramwise_cfg=dict(bias_lr_mult=2.))\n"
        "optimizer = dict(type='SGD', paramwise_cfg=dict(bias_lr_mult=3))\n"
    )
    hint = "(put it beside 'optimizer', inside 'optim_wrapper')"
    assert lines("OPT002", context) == [
        "a.py:4:30 error: 'paramwise_cfg' inside 'optimizer' does nothing: 'optim_wrapper' counts where"
        f" both exist {hint}",
        "a.py:1:1 error: 'paramwise_cfg' at the top level does nothing: nothing reads it there "
        + hint,
        "a.py:3:25 error: 'paramwise_cfg' inside 'optimizer_config' does nothing: it configures a hook "
        + hint,
    ]


def test_opt002_older_form() -> None:
    text = "optimizer = dict(type='SGD', lr=1)\nparamwise_cfg = dict(bias_lr_mult=2)\n"
    assert lines("OPT002", context_of(text)) == [
        "a.py:2:1 error: 'paramwise_cfg' at the top level does nothing: nothing reads it there"
        " (put it inside 'optimizer')"
    ]


@pytest.mark.parametrize(
    "text",
    [
        section_of("bias_lr_mult=2"),
        "optimizer = dict(type='SGD', lr=1, paramwise_cfg=dict(bias_lr_mult=2))",
        # a helper variable that the section uses, as it is or with more added
        "paramwise_cfg = dict(bias_lr_mult=2)\n"
        "optim_wrapper = dict(optimizer=dict(type='SGD', lr=1), paramwise_cfg=paramwise_cfg)",
        "paramwise_cfg = dict(bias_lr_mult=2)\n"
        "optimizer = dict(type='SGD', paramwise_cfg=dict(norm_decay_mult=1, **paramwise_cfg))",
        "paramwise_cfg = dict(bias_lr_mult=2)\n"
        "optim_wrapper = dict(constructor='Multi', generator=dict(paramwise_cfg=paramwise_cfg))",
        "paramwise_cfg = dict()\noptimizer = dict(type='SGD', lr=1)",
        "model = dict(paramwise_cfg=dict(bias_lr_mult=2))\noptimizer = dict(type='SGD', lr=1)",
        "paramwise_cfg = dict(bias_lr_mult=2)",
    ],
)
def test_opt002_is_silent(text: str) -> None:
    assert lines("OPT002", context_of(text)) == []


def test_opt003() -> None:
    text = section_of("bias_lr_mult=2", "type='SGD', lr=1, momentun=0.9, foo=1")
    expected = [
        "a.py:1:55 error: SGD takes no argument 'momentun' (did you mean 'momentum'?)",
        "a.py:1:69 error: SGD takes no argument 'foo'",
    ]
    assert lines("OPT003", context_of(text)) == expected
    planned = context_of(text, meta(Net))
    assert lines("OPT003", planned) == expected
    assert lines("OPT006", planned) == []
    assert [finding.key for finding in found("OPT003", planned)] == [
        "optim_wrapper.optimizer.momentun",
        "optim_wrapper.optimizer.foo",
    ]


@pytest.mark.parametrize(
    "optimizer",
    [
        "type='SGD', lr=1, momentum=0.9, nesterov=True, weight_decay=0.1, fused=True",
        "type='TheirOptimizer', lr=1, foo=1",
        "type='Adafactor', lr=1, scale_parameter=False",
        "type='ZeroRedundancyOptimizer', optimizer_type='SGD', lr=1, momentum=0.9",
        "type='apex.optimizers.SGD', lr=1, foo=1",
        "type='torch.optim.SGD', lr=1, momentum=0.9",
        "type='SGD', lr=1, _scope_='mmseg'",
        "type='SGD', lr=1, batch_size_per_gpu=16), constructor=str('YOLOv5OptimizerConstructor'",
    ],
)
def test_opt003_is_silent(optimizer: str) -> None:
    assert lines("OPT003", context_of(section_of("", optimizer))) == []


@pytest.mark.parametrize("kind", ["torch.optim.Adam", "torch.optim.adam.Adam", "TorchAdafactor"])
def test_opt003_other_names_of_torchs_classes(kind: str) -> None:
    assert len(lines("OPT003", context_of(section_of("", f"type='{kind}', lr=1, nope=1")))) == 1


def test_opt005() -> None:
    text = section_of("a=1), constructor=str('SwinConstructor'")
    expected = [
        "a.py:2:30 info: the constructor 'SwinConstructor' is not known: paramwise_cfg was not checked"
    ]
    assert lines("OPT005", context_of(text)) == expected
    planned = context_of(text, meta(Net))
    hint = "import what registers it: custom_imports in the config, or --import MODULE_OR_FILE"
    assert lines("OPT005", planned) == [f"{expected[0]} ({hint})"]
    assert lines("OPT006", planned) == []


def test_opt005_several_optimizers_of_a_foreign_constructor() -> None:
    context = context_of(
        "optim_wrapper = dict(constructor='Multi', generator=dict(optimizer=dict(type='SGD', lr=1)))"
    )
    assert lines("OPT005", context) == [
        "a.py:1:22 info: the constructor 'Multi' is not known: the section was not checked"
    ]
    assert context.problems(None) == ()


def test_opt005_a_misspelt_default() -> None:
    context = context_of(section_of("), constructor=str('DefaultOptimWrapperConstuctor'"))
    assert lines("OPT005", context) == [
        "a.py:2:27 info: the constructor 'DefaultOptimWrapperConstuctor' is not known: the section was not"
        " checked (did you mean 'DefaultOptimWrapperConstructor'?)"
    ]


@pytest.mark.parametrize(
    ("constructor", "scope"),
    [
        ("DefaultOptimWrapperConstructor", "mmdet"),
        ("DefaultOptimizerConstructor", ""),
        ("mmengine.DefaultOptimWrapperConstructor", ""),
        ("LearningRateDecayOptimWrapperConstructor", "mmpretrain"),
        ("mmseg.LayerDecayOptimizerConstructor", "mmpretrain"),
    ],
)
def test_opt005_is_silent(constructor: str, scope: str) -> None:
    text = f"default_scope = '{scope}'\n" + section_of(f"), constructor=str('{constructor}'")
    assert lines("OPT005", context_of(text)) == []


@pytest.mark.parametrize("scope", ["mmselfsup", "mmdet", ""])
def test_opt005_the_same_name_in_another_package(scope: str) -> None:
    name = "LearningRateDecayOptimWrapperConstructor"
    text = f"default_scope = '{scope}'\n" + section_of(f"), constructor=str('{name}'")
    assert len(lines("OPT005", context_of(text))) == 1


def test_opt005_a_symbol() -> None:
    config = config_of(
        "from mmengine.optim import DefaultOptimWrapperConstructor\nfrom torch.optim import SGD\n"
        "optim_wrapper = dict(optimizer=dict(type=SGD, lr=1, foo=1),\n"
        "    constructor=DefaultOptimWrapperConstructor, paramwise_cfg=dict(nope=1))\n"
    )
    assert config.data["optim_wrapper"]["optimizer"]["type"] == Symbol("torch.optim.SGD")
    text = config.entry.text
    assert lines("OPT005", context_of(text)) == []
    assert len(lines("OPT003", context_of(text))) == 1
    assert len(lines("OPT101", context_of(text))) == 1


def test_opt006() -> None:
    muon = "optim_wrapper = dict(optimizer=dict(type='{}', lr=1))"
    (told,) = found("OPT006", context_of(muon.format("Muon"), meta(Net)))
    assert told.message.startswith("Muon refuses this: Muon only supports 2D parameters")
    assert told.message.endswith(
        "refused are backbone.0.weight, backbone.0.bias, backbone.1.weight, backbone.1.bias, head.bias"
    )
    assert told.place is not None
    assert str(told.place).endswith("a.py:1:37")
    assert lines("OPT006", context_of(muon.format("AdamW"), meta(Net))) == []
    assert lines("OPT006", context_of(muon.format("Muon"))) == []


def test_opt006_leaves_an_unreadable_section_alone() -> None:
    context = context_of("optim_wrapper = dict(optimizer=dict(lr=1))", meta(Net))
    assert isinstance(context.trouble, ConfigError)
    assert lines("OPT006", context) == []


def test_opt007() -> None:
    text = (
        "auto_scale_lr = dict(base_batch_size=256, enable={})\noptimizer = dict(type='SGD', lr=1)"
    )
    assert lines("OPT007", context_of(text.format("True"))) == [
        "a.py:1:43 warning: auto_scale_lr is enabled: every lr is multiplied by the total batch / 256 when"
        " the training starts (give the world size and the batch size: --world-size N --batch-size N)"
    ]
    assert lines("OPT007", context_of(text.format("False"))) == []
    assert lines("OPT007", context_of("auto_scale_lr = dict(base_batch_size=256)")) == []


def test_opt007_timms_arguments() -> None:
    text = "opt = 'sgd'\nlr = {}\nlr_base = 0.1\nlr_base_size = 256"
    assert lines("OPT007", context_of(text.format("None"))) == [
        "a.py:3:1 warning: lr is not set: it becomes lr_base scaled by the total batch when the training"
        " starts (set lr, or give the world size: --world-size N)"
    ]
    assert lines("OPT007", context_of(text.format("0.1"))) == []


@pytest.mark.parametrize(
    "text",
    [
        "optim_wrapper = 1",
        "optim_wrapper = dict(optimizer=1)",
        "optim_wrapper = dict(optimizer=dict(), paramwise_cfg=1)",
        "optim_wrapper = dict(optimizer=dict(type=1, lr='a'), paramwise_cfg={1: 2}, constructor=3)",
        section_of("custom_keys=1"),
        section_of("custom_keys={1: 2, 'a': 3, 'b': {4: 5}}"),
        section_of("norm_decay_mult='0'"),
        "optimizer = [1]\nauto_scale_lr = 1\ncustom_hooks = 2",
        "x = 1",
    ],
)
def test_no_check_fails_on_nonsense(text: str) -> None:
    from optplan.checks import ALL_CHECKS

    context = context_of(text)
    for check in ALL_CHECKS:
        assert {finding.code for finding in check.run(context)} <= {check.code}


def test_a_left_over_delete_is_no_custom_key() -> None:
    files = Files({"a.py": section_of("custom_keys=dict(_delete_=True, head=dict(lr_mult=0.1))")})
    config = load_config("/configs/a.py", reader=files)
    assert find_optimizer(config).paramwise["custom_keys"]["_delete_"] is True
    plan = make_plan(nn.ModuleDict({"head": nn.Linear(2, 2, bias=False)}), config)
    assert [(row.name, row.lr) for row in plan.parameters] == [("head.weight", 0.1 * 0.1)]


def test_a_scope_is_no_argument() -> None:
    config = config_of(section_of("", "type='SGD', lr=1, _scope_='mmseg'"))
    assert make_plan(nn.Linear(2, 2), config).optimizers[0].options == {}


def test_several_optimizers_are_no_mistake() -> None:
    text = (
        "optimizer = dict(generator=dict(type='Adam', lr=1e-4), discriminator=dict(type='Adam'))\n"
    )
    context = context_of(text)
    assert lines("OPT005", context) == lines("OPT004", context) == []


SEVERAL = """\
optimizer = dict(
    a=dict(type='Adam', lr=1e-4, nope=1, paramwise_cfg=dict(norm_decay_mul=0.)),
    b=dict(type='SGD', paramwise_cfg=dict(bias_lr_mult=2., custom_keys=dict(weigth=dict(lr_mult=2)))))
"""


TWO = """\
from torch import nn


class Two(nn.Module):
    def __init__(self):
        super().__init__()
        self.a = nn.Linear(2, 2)
        self.b = nn.Linear(2, 2)
"""


def test_each_of_several_sections_is_checked(tmp_path: Path, invoke: Invoke) -> None:
    (tmp_path / "a.py").write_text(SEVERAL)
    assert _told(invoke("check", "a.py", cwd=tmp_path).stdout) == [
        "a.py:2:34: OPT003 Adam takes no argument 'nope'",
        "a.py:2:61: OPT101 'norm_decay_mul' in paramwise_cfg does nothing: the constructor never reads it,"
        " did you mean 'norm_decay_mult'?",
    ]
    (tmp_path / "a.py").write_text(
        SEVERAL.replace(" nope=1,", "").replace("'SGD',", "'SGD', lr=1,")
    )
    (tmp_path / "two.py").write_text(TWO)
    assert _told(invoke("check", "a.py", "--model", "two.py:Two", cwd=tmp_path).stdout) == [
        "a.py:2:53: OPT101 'norm_decay_mul' in paramwise_cfg does nothing: the constructor never reads it,"
        " did you mean 'norm_decay_mult'?",
        "a.py:3:83: OPT103 key 'weigth' matches no parameter, did you mean 'weight'?",
    ]


def _told(report: str) -> list[str]:
    return [line for line in report.splitlines() if line.startswith("a.py")]
