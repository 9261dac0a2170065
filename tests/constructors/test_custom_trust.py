"""No name in a config gets code run that is not a class of the right kind, out of an installed package."""

from __future__ import annotations

import sys
import warnings
from pathlib import Path

import pytest
from torch import nn

import optplan
from optplan import OptplanError, Plan
from tests.constructors.registering import THEIR_IMPORTS, install, register

pytestmark = pytest.mark.usefixtures("registries")

# What any import or call of the stranger's code, or a call of the shell, leaves behind.
STRANGER = """\
from pathlib import Path
Path({trace!r}).touch()


class Optimizer:
    pass


def register_all_modules(*_):
    pass
"""

# The user's own constructors: they are trusted, and build what the config says.
USERS = """
from mmengine.registry import OPTIM_WRAPPERS, OPTIMIZERS


@OPTIM_WRAPPER_CONSTRUCTORS.register_module()
class Theirs(DefaultOptimWrapperConstructor):
    pass


@OPTIM_WRAPPER_CONSTRUCTORS.register_module()
class Nested(DefaultOptimWrapperConstructor):
    def __call__(self, model):
        for name, registry in (('inner', OPTIMIZERS), ('wrapper', OPTIM_WRAPPERS)):
            for cfg in (self.optim_wrapper_cfg, self.paramwise_cfg):
                if name in cfg:
                    registry.build(dict(cfg.pop(name)))
        return super().__call__(model)


@OPTIM_WRAPPER_CONSTRUCTORS.register_module()
class Quiet(Nested):
    def __call__(self, model):
        try:
            return super().__call__(model)
        except Exception:
            return DefaultOptimWrapperConstructor.__call__(self, model)
"""
OURS = """
import optplan
from mmengine.registry import OPTIMIZERS


@optplan.OPTIM_WRAPPER_CONSTRUCTORS.register_module()
class Ours(optplan.DefaultOptimWrapperConstructor):
    def __call__(self, model):
        if 'inner' in self.optim_wrapper_cfg:
            OPTIMIZERS.build(dict(self.optim_wrapper_cfg.inner))
        return super().__call__(model)
"""
SGD = "optimizer=dict(type='SGD', lr=0.1, weight_decay=0.1)"
SHELL = "command='touch {trace}'"
POPEN = "args=['touch', '{trace}']"
THEIRS, NESTED = "constructor='Theirs'", "constructor='Nested'"


def wrapper(*entries: str) -> str:
    return f"optim_wrapper = dict({', '.join(entries)})"


def optimizer(entries: str, constructor: str = THEIRS) -> str:
    return wrapper(f"optimizer=dict({entries})", constructor)


# Each config, and what is said of it.
REFUSED = {
    "shell": (optimizer(f"type='os.system', {SHELL}"), "'os.system' is not an optimizer class"),
    "process": (
        optimizer(f"type='subprocess.Popen', {POPEN}"),
        "'subprocess.Popen' is not an optimizer class",
    ),
    "exec": (
        optimizer("type='builtins.exec', source='1'"),
        "'builtins.exec' is not an optimizer class",
    ),
    "a module class": (
        optimizer("type='torch.nn.Linear', in_features=1, out_features=1"),
        "'torch.nn.Linear' is not an optimizer class",
    ),
    "through an attribute": (
        optimizer(f"type='torch.os.system', {SHELL}"),
        "'torch.os.system' is not an optimizer class",
    ),
    "through another": (
        optimizer(f"type='torch.optim.optimizer.warnings.sys.modules', {SHELL}"),
        "'torch.optim.optimizer.warnings.sys.modules' is not an optimizer class",
    ),
    "dunder": (
        optimizer("type='torch.optim.SGD.__init__.__globals__'"),
        "there is no optimizer 'torch.optim.SGD.__init__.__globals__'",
    ),
    "module beside": (
        optimizer("type='stranger'"),
        "there is no optimizer 'stranger'",
    ),
    "scope beside": (
        optimizer("type='stranger.SGD'"),
        "there is no optimizer 'stranger.SGD': no installed package provides 'stranger.SGD'",
    ),
    "path beside": (
        optimizer("type='stranger.registry.Optimizer'"),
        "no installed package provides 'stranger.registry.Optimizer'",
    ),
    "loose file": (
        optimizer("type='loose.Optimizer'"),
        "no installed package provides 'loose.Optimizer'",
    ),
    "wrapper, process": (
        wrapper(f"type='subprocess.Popen', {POPEN}", SGD, THEIRS),
        "'subprocess.Popen' is no optimizer wrapper",
    ),
    "wrapper, function": (
        wrapper(f"type='os.system', {SHELL}", SGD, THEIRS),
        "'os.system' is no optimizer wrapper",
    ),
    "wrapper, an optimizer": (
        wrapper("type='torch.optim.SGD'", SGD, THEIRS),
        "'torch.optim.SGD' is no optimizer wrapper",
    ),
    "wrapper, module beside": (
        wrapper("type='stranger'", SGD, THEIRS),
        "the constructor Theirs raises KeyError: 'stranger is not in the mmengine::optim_wrapper registry.",
    ),
    "wrapper, scope beside": (
        wrapper("type='stranger.OptimWrapper'", SGD, THEIRS),
        "there is no optimizer wrapper 'stranger.OptimWrapper'",
    ),
    "constructor, exec": (
        wrapper(SGD, "constructor='builtins.exec'"),
        "'builtins.exec' is no optimizer constructor",
    ),
    "constructor, bare": (
        wrapper(SGD, "constructor='exec'"),
        "there is no optimizer constructor 'exec'",
    ),
    "constructor, a class to be called": (
        wrapper(SGD, "constructor='functools.partial'"),
        "'functools.partial' is no optimizer constructor",
    ),
    "constructor, another": (
        wrapper(SGD, "constructor='operator.methodcaller'"),
        "'operator.methodcaller' is no optimizer constructor",
    ),
    "constructor, process": (
        wrapper(SGD, "constructor='subprocess.Popen'"),
        "'subprocess.Popen' is no optimizer constructor",
    ),
    "constructor, a module": (
        wrapper(SGD, "constructor='torch.nn.Linear'"),
        "'torch.nn.Linear' is no optimizer constructor",
    ),
    "constructor, a type": (
        wrapper(SGD, "constructor='builtins.type'"),
        "'builtins.type' is no optimizer constructor",
    ),
    "constructor, not callable": (
        wrapper(SGD, "constructor='torch.version.__version__'"),
        "there is no optimizer constructor 'torch.version.__version__'",
    ),
    "constructor beside": (
        wrapper(SGD, "constructor='stranger.Optimizer'"),
        "there is no optimizer constructor 'stranger.Optimizer'",
    ),
    "scope": (
        "default_scope = 'stranger'\n" + wrapper(SGD, "constructor='Mine'"),
        "it belongs to the package stranger, which is not installed",
    ),
    "imports, needed": (
        "custom_imports = dict(imports=['stranger'])\n" + wrapper(SGD, "constructor='Strange'"),
        "there is no optimizer constructor 'Strange'",
    ),
    "sharded": (
        optimizer("type='ZeroRedundancyOptimizer', optimizer_type='os.system', lr=0.1"),
        "the constructor Theirs raises ",
    ),
    "sharded, ours": (
        optimizer(
            "type='ZeroRedundancyOptimizer', optimizer_type='os.system', lr=0.1",
            "constructor='Ours'",
        ),
        "'os.system' is not an optimizer class",
    ),
    "clipping": (
        wrapper(SGD, THEIRS, "type='OptimWrapper'", f"clip_grad=dict(type='os.system', {SHELL})"),
        "the constructor Theirs raises ValueError: ",
    ),
    "nested": (
        wrapper(SGD, NESTED, f"inner=dict(type='os.system', {SHELL})"),
        "'os.system' is not called: it is no class of optimizers, of their wrappers or constructors",
    ),
    "nested, process": (
        wrapper(SGD, NESTED, f"wrapper=dict(type='subprocess.Popen', {POPEN})"),
        "'subprocess.Popen' is not called",
    ),
    "nested, a module class": (
        wrapper(SGD, NESTED, "inner=dict(type='torch.nn.Linear', in_features=1, out_features=1)"),
        "'torch.nn.Linear' is not called",
    ),
    "nested, bare": (
        wrapper(SGD, NESTED, "inner=dict(type='stranger')"),
        "the constructor Nested raises KeyError: 'stranger is not in the mmengine::optimizer registry.",
    ),
    "nested, beside": (
        wrapper(SGD, NESTED, "inner=dict(type='stranger.Optimizer')"),
        "the constructor Nested raises KeyError: ",
    ),
    "nested, scope": (
        wrapper(SGD, NESTED, "inner=dict(type='Optimizer', _scope_='stranger')"),
        "the constructor Nested raises ",
    ),
    "nested, standard library": (
        wrapper(SGD, NESTED, "inner=dict(type='Optimizer', _scope_='antigravity')"),
        "the constructor Nested raises ",
    ),
    "nested in the options": (
        wrapper(SGD, NESTED, f"paramwise_cfg=dict(inner=dict(type='os.system', {SHELL}))"),
        "'os.system' is not called",
    ),
    "nested, ours": (
        wrapper(SGD, "constructor='Ours'", f"inner=dict(type='os.system', {SHELL})"),
        "'os.system' is not called",
    ),
    "symbol": (
        "from torch.hub import load\n" + optimizer("type=load, repo_or_dir='.', model='x'"),
        "'torch.hub.load' is not called",
    ),
    "symbol of a wrapper": (
        "from torch.hub import load\n" + wrapper(SGD, THEIRS, "type=load, repo_or_dir='.'"),
        "'torch.hub.load' is not called",
    ),
    "symbol inside": (
        "from torch.hub import load\n" + wrapper(SGD, NESTED, "inner=dict(type=load)"),
        "'torch.hub.load' is not called",
    ),
    "symbol as a value": (
        "from torch.hub import load\n" + wrapper(SGD, NESTED, "clip_grad=[dict(a=(load,))]"),
        "'torch.hub.load' is not called",
    ),
    "symbol of a constructor": (
        "from torch.hub import load\n" + wrapper(SGD, "constructor=load"),
        "'torch.hub.load' is no optimizer constructor",
    ),
    "symbol beside": (
        "from stranger import Optimizer\n" + optimizer("type=Optimizer, lr=0.1"),
        "no installed package provides 'stranger.Optimizer'",
    ),
    "older form": (
        f"optimizer = dict(type='os.system', {SHELL}, {THEIRS})",
        "'os.system' is not an optimizer class",
    ),
}
# Nothing of the stranger's is run for these, and they are planned.
PLANNED = {
    "scope of an optimizer": optimizer("type='SGD', lr=0.1, _scope_='stranger'"),
    "scope of a wrapper": wrapper(SGD, THEIRS, "type='OptimWrapper', _scope_='stranger'"),
    "standard library": optimizer("type='SGD', lr=0.1, _scope_='antigravity'"),
    "imports": "custom_imports = dict(imports=['stranger'])\n" + wrapper(SGD, THEIRS),
    "imports that may fail": "custom_imports = dict(imports=['stranger'], allow_failed_imports=True)\n"
    + wrapper(SGD, THEIRS),
    "default scope": "default_scope = 'stranger'\n" + wrapper(SGD, THEIRS),
    "a wrapper's class": "from mmengine.optim import OptimWrapper\n"
    + wrapper(SGD, THEIRS, "type=OptimWrapper"),
    "an optimizer inside": wrapper(
        SGD,
        NESTED,
        "type='OptimWrapper'",
        "paramwise_cfg=dict(wrapper=dict(type='own_kind.Wrapper'))",
    ),
}


@pytest.fixture
def trace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The file that tells; everything that a stranger may put beside a config is in the search path."""
    trace = tmp_path / "trace"
    beside = tmp_path / "beside"
    (beside / "stranger").mkdir(parents=True)
    text = STRANGER.format(trace=str(trace))
    for name in ("__init__", "registry", "utils"):
        (beside / "stranger" / f"{name}.py").write_text(text)
    monkeypatch.chdir(beside)
    monkeypatch.setenv("PYTHONPATH", str(beside))
    monkeypatch.syspath_prepend(str(beside))
    monkeypatch.setattr("webbrowser.open", lambda *_: trace.touch())  # what antigravity does
    kinds = """
        from mmengine.optim import OptimWrapper

        class Wrapper(OptimWrapper):
            def __init__(self):
                pass
        """
    packages = install(tmp_path, "own_kind", {"__init__.py": kinds}, monkeypatch).parent
    (packages / "loose.py").write_text(text)
    register(tmp_path, USERS, imports=THEIR_IMPORTS)
    register(tmp_path, OURS, imports="", name="own_other")
    for module in ("stranger", "antigravity", "loose"):
        monkeypatch.delitem(sys.modules, module, raising=False)
    return trace


def planned(text: str, trace: Path, *, trust: bool = False) -> Plan:
    file = trace.parent / "beside" / "config.py"
    file.write_text(text.replace("{trace}", str(trace)))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return optplan.make_plan(nn.Linear(2, 2), optplan.load_config(file, trust=trust))


def assert_nothing_ran(trace: Path) -> None:
    assert not trace.exists()
    assert not {"stranger", "antigravity", "loose"} & set(sys.modules)


@pytest.mark.parametrize("case", REFUSED)
def test_refused(case: str, trace: Path) -> None:
    text, said = REFUSED[case]
    with pytest.raises(OptplanError) as error:
        planned(text, trace)
    assert said in str(error.value)
    assert_nothing_ran(trace)


@pytest.mark.parametrize("case", PLANNED)
def test_planned(case: str, trace: Path) -> None:
    assert planned(PLANNED[case], trace).parameters[0].lr == 0.1
    assert_nothing_ran(trace)


@pytest.mark.parametrize(
    "case",
    ["shell", "process", "nested", "nested, process", "nested in the options", "wrapper, process"],
)
def test_a_constructor_that_hides_what_was_refused(case: str, trace: Path) -> None:
    text, said = REFUSED[case]
    with pytest.raises(OptplanError) as error:
        planned(text.replace("'Nested'", "'Quiet'").replace("'Theirs'", "'Quiet'"), trace)
    assert said in str(error.value)
    assert_nothing_ran(trace)


@pytest.mark.parametrize("case", ["nested", "nested, process", "nested in the options"])
def test_who_trusts_a_config_gets_what_it_says(case: str, trace: Path) -> None:
    """Which shows that these configs do something."""
    import time

    planned(REFUSED[case][0].replace("'Nested'", "'Quiet'"), trace, trust=True)
    for _ in range(200):
        if trace.exists():
            break
        time.sleep(0.05)
    assert trace.exists()


def test_the_place_of_what_is_refused(trace: Path) -> None:
    with pytest.raises(OptplanError) as error:
        planned(REFUSED["nested in the options"][0], trace)
    (problem,) = error.value.problems
    assert problem.place is not None
    assert problem.place.source.line(problem.place.line)[problem.place.column - 1 :].startswith(
        "type='os.system'"
    )
    assert problem.hint == "--trust calls it all the same"


def test_mmengine_is_as_before_afterwards(trace: Path) -> None:
    from mmengine.registry import registry as module

    before = module.get_object_from_string, module.import_module
    for case in ("nested", "wrapper, module beside"):
        with pytest.raises(OptplanError):
            planned(REFUSED[case][0], trace)
    assert (module.get_object_from_string, module.import_module) == before
