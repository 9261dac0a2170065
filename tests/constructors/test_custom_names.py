"""Which class the name of a constructor means, and what is said where it means none."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from torch import nn

import optplan
from optplan import OptplanError, Plan
from tests.conftest import Invoke
from tests.constructors.registering import OUR_IMPORTS, THEIR_IMPORTS, install, register

pytestmark = pytest.mark.usefixtures("registries")

CONFIG = """\
{before}
optim_wrapper = dict(
    optimizer=dict(type='SGD', lr=0.5, weight_decay=0.5),
    constructor={constructor})
"""

# Each constructor tells itself apart by the lr that it gives.
OURS = """
@OPTIM_WRAPPER_CONSTRUCTORS.register_module({arguments})
class {name}(DefaultOptimWrapperConstructor):
    def __call__(self, model):
        self.optimizer_cfg['lr'] = {lr}
        return super().__call__(model)
"""
REGISTRY = """
from mmengine.registry import OPTIM_WRAPPER_CONSTRUCTORS as ROOT, Registry
OPTIM_WRAPPER_CONSTRUCTORS = Registry('optimizer wrapper constructor', parent=ROOT, locations=['{package}.engine'])
"""
ENGINE = """
from mmengine.optim import DefaultOptimWrapperConstructor
from {package}.registry import OPTIM_WRAPPER_CONSTRUCTORS
"""


def ours(name: str, lr: float, arguments: str = "") -> str:
    return OURS.format(name=name, lr=lr, arguments=arguments)


def planned(folder: Path, constructor: str, before: str = "") -> Plan:
    text = CONFIG.format(constructor=constructor, before=before)
    (folder / "config.py").write_text(text)
    return optplan.make_plan(nn.Linear(2, 2), optplan.load_config(folder / "config.py"))


def lr(plan: Plan) -> float | None:
    return plan.parameters[0].lr


def refused(folder: Path, constructor: str, before: str = "") -> str:
    with pytest.raises(OptplanError) as error:
        planned(folder, constructor, before)
    return str(error.value)


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """An installed package that registers two constructors in mmengine's way."""
    name = "own_seg"
    engine = ENGINE.format(package=name)
    engine += ours("Theirs", 2.0) + ours("Both", 3.0) + ours("DefaultOptimizerConstructor", 4.0)
    files = {"registry.py": REGISTRY.format(package=name), "engine.py": engine}
    install(tmp_path, name, files, monkeypatch)
    return name


def test_a_registered_name(tmp_path: Path) -> None:
    register(tmp_path, ours("Mine", 1.0))
    assert lr(planned(tmp_path, "'Mine'")) == 1.0


def test_another_name(tmp_path: Path) -> None:
    register(tmp_path, ours("Mine", 1.0, "name=['A', 'B']"))
    assert (lr(planned(tmp_path, "'A'")), lr(planned(tmp_path, "'B'"))) == (1.0, 1.0)
    assert "there is no optimizer constructor 'Mine'" in refused(tmp_path, "'Mine'")


def test_both_registries_are_one(tmp_path: Path) -> None:
    register(tmp_path, ours("Mine", 1.0).replace("OPTIM_WRAPPER_", "OPTIMIZER_"))
    assert optplan.OPTIMIZER_CONSTRUCTORS is optplan.OPTIM_WRAPPER_CONSTRUCTORS
    assert lr(planned(tmp_path, "'Mine'")) == 1.0


def test_the_package_that_the_scope_names(tmp_path: Path, package: str) -> None:
    assert package not in sys.modules
    assert lr(planned(tmp_path, f"'{package}.Theirs'")) == 2.0
    assert lr(planned(tmp_path, "'Theirs'", f"default_scope = '{package}'")) == 2.0
    # a class of theirs stands under its own name, also where it has that of a built-in one
    assert lr(planned(tmp_path, f"'{package}.DefaultOptimizerConstructor'")) == 4.0


def test_no_package_is_looked_into_without_its_scope(tmp_path: Path, package: str) -> None:
    assert "there is no optimizer constructor 'Theirs'" in refused(tmp_path, "'Theirs'")
    assert package not in sys.modules


def test_the_users_own_come_first(tmp_path: Path, package: str) -> None:
    register(tmp_path, ours("Both", 1.0))
    scope = f"default_scope = '{package}'"
    assert lr(planned(tmp_path, "'Both'", scope)) == 1.0
    assert lr(planned(tmp_path, f"'{package}.Both'")) == 1.0
    assert lr(planned(tmp_path, "'Theirs'", scope)) == 2.0


def test_a_scope_of_its_own_stands_above_the_default_one(tmp_path: Path, package: str) -> None:
    scope = "default_scope = 'no_such_package'"
    assert lr(planned(tmp_path, f"'{package}.Theirs'", scope)) == 2.0


def test_the_root_is_asked_after_the_scope(tmp_path: Path, package: str) -> None:
    register(tmp_path, ours("AtRoot", 6.0) + ours("Both", 7.0), imports=THEIR_IMPORTS)
    scope = f"default_scope = '{package}'"
    assert lr(planned(tmp_path, "'AtRoot'", scope)) == 6.0
    assert lr(planned(tmp_path, "'Both'", scope)) == 3.0
    assert lr(planned(tmp_path, "'Both'")) == 7.0
    assert lr(planned(tmp_path, "'mmengine.AtRoot'", scope)) == 6.0


def test_the_root_is_asked_where_the_scope_is_no_package(tmp_path: Path) -> None:
    register(tmp_path, ours("AtRoot", 6.0), imports=THEIR_IMPORTS)
    assert lr(planned(tmp_path, "'AtRoot'", "default_scope = 'no_such_package'")) == 6.0


def test_a_built_in_one_replaced(tmp_path: Path, package: str) -> None:
    assert lr(planned(tmp_path, "'DefaultOptimWrapperConstructor'")) == 0.5
    register(tmp_path, ours("DefaultOptimWrapperConstructor", 1.0))  # no force=True
    assert lr(planned(tmp_path, "'DefaultOptimWrapperConstructor'")) == 1.0
    assert lr(planned(tmp_path, "None")) == 1.0
    scope = f"default_scope = '{package}'"
    assert lr(planned(tmp_path, "'DefaultOptimWrapperConstructor'", scope)) == 1.0
    # its other name is another entry
    assert lr(planned(tmp_path, "'DefaultOptimizerConstructor'")) == 0.5


def test_the_references_default_is_ours(tmp_path: Path) -> None:
    import mmengine.optim  # noqa: F401

    for name in (
        "'mmengine.DefaultOptimWrapperConstructor'",
        "'mmengine.optim.DefaultOptimWrapperConstructor'",
    ):
        plan = planned(tmp_path, name)
        assert plan.constructor == "DefaultOptimizerConstructor"
        assert plan.parameters[0].lr_rule is not None
        assert plan.parameters[0].lr_rule.rule == "default"


def test_an_import_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    code = OUR_IMPORTS + ours("Mine", 1.0).replace("@OPTIM", "# @OPTIM")
    install(tmp_path, "own_package", {"module.py": code}, monkeypatch)
    plan = planned(tmp_path, "'own_package.module.Mine'")
    assert (lr(plan), plan.constructor) == (1.0, "Mine")
    assert plan.parameters[0].lr_rule is not None
    origin = plan.parameters[0].lr_rule.origin
    assert origin is not None
    assert (origin.file, origin.line) == ("own_package::module.py", 9)


def test_a_symbol(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    code = OUR_IMPORTS + ours("Mine", 1.0).replace("@OPTIM", "# @OPTIM")
    install(tmp_path, "own_package", {"module.py": code}, monkeypatch)
    plan = planned(tmp_path, "Mine", "from own_package.module import Mine")
    assert (lr(plan), plan.constructor) == (1.0, "Mine")


def test_a_symbol_of_a_class_beside_the_config(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "own_beside.py").write_text("raise SystemExit('this must not run')")
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    said = refused(tmp_path, "Mine", "from own_beside import Mine")
    assert "no installed package provides 'own_beside.Mine'" in said


def test_custom_imports(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install(tmp_path, "own_package", {"module.py": OUR_IMPORTS + ours("Mine", 1.0)}, monkeypatch)
    asked = "custom_imports = dict(imports=['own_package.module'], allow_failed_imports=False)"
    assert lr(planned(tmp_path, "'Mine'", asked)) == 1.0
    # also the word alone
    assert (
        lr(planned(tmp_path, "'Mine'", "custom_imports = dict(imports='own_package.module')"))
        == 1.0
    )


def test_custom_imports_of_what_is_not_installed(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    invoke: Invoke,
    caplog: pytest.LogCaptureFixture,
) -> None:
    (tmp_path / "own_beside.py").write_text(OUR_IMPORTS + ours("Mine", 1.0))
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    asked = "custom_imports = dict(imports=['own_beside'])"
    (tmp_path / "config.py").write_text(CONFIG.format(constructor="'Mine'", before=asked))
    arguments = ("show", "config.py", "--model", "torch.nn:Linear", "-k", "in_features=1")
    done = invoke(*arguments, "-k", "out_features=1", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    (said,) = caplog.messages
    assert (
        "no installed package provides 'own_beside': it was not imported (pass --import own" in said
    )
    error, *rest = done.stderr.splitlines()
    assert error == "error: config.py:4:5: there is no optimizer constructor 'Mine'"
    assert rest[-1].startswith("  hint: import what registers it")
    assert "own_beside" not in sys.modules
    done = invoke(*arguments, "-k", "out_features=1", "--trust", "--format", "csv", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert "weight" in done.stdout


def test_custom_imports_of_what_the_user_has_imported(tmp_path: Path) -> None:
    register(tmp_path, ours("Mine", 1.0), name="own_file")
    assert lr(planned(tmp_path, "'Mine'", "custom_imports = dict(imports=['own_file'])")) == 1.0


def test_custom_imports_that_may_fail(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    install(
        tmp_path,
        "own_package",
        {"no.py": "import no_such_module", "raises.py": "1 / 0"},
        monkeypatch,
    )
    asked = "custom_imports = dict(imports=[{}], allow_failed_imports={})"
    for name, said in [
        ("own_missing", "custom_imports: no installed package provides 'own_missing'"),
        ("own_package.none", "custom_imports: there is no 'own_package.none'"),
        (
            "own_package.no",
            "custom_imports: 'own_package.no' raises on import: ModuleNotFoundError: ",
        ),
    ]:
        assert lr(planned(tmp_path, "None", asked.format(f"'{name}'", True))) == 0.5
        assert said in caplog.text
        found = asked.format(f"'{name}'", False)
        if "raises" in said:
            assert said in refused(tmp_path, "None", found)
        else:
            assert lr(planned(tmp_path, "None", found)) == 0.5
            # what it would have registered is refused where it is needed
            assert "there is no optimizer constructor 'Mine'" in refused(tmp_path, "'Mine'", found)
    for allowed in (True, False):
        said = refused(tmp_path, "None", asked.format("'own_package.raises'", allowed))
        assert (
            "'own_package.raises' raises on import: ZeroDivisionError: division by zero (" in said
        )
        assert "raises.py:1)" in said


@pytest.mark.parametrize(
    ("before", "said"),
    [
        ("default_scope = 3", "default_scope must be a package's name, got int 3"),
        ("custom_imports = ['a']", "custom_imports must be a dict, got list ['a']"),
        (
            "custom_imports = dict(imports=[3])",
            "custom_imports.imports must be a list of module names",
        ),
    ],
)
def test_what_is_not_of_its_form(tmp_path: Path, before: str, said: str) -> None:
    assert said in refused(tmp_path, "None", before)


ELSE = "import what registers it: custom_imports in the config, or --import MODULE_OR_FILE"


@pytest.mark.parametrize(
    ("constructor", "before", "said"),
    [
        ("'Nothing'", "", f"there is no optimizer constructor 'Nothing' ({ELSE})"),
        (
            "'DefaultOptimWraperConstructor'",
            "",
            "there is no optimizer constructor 'DefaultOptimWraperConstructor' (did you mean"
            f" 'DefaultOptimWrapperConstructor'? Else {ELSE})",
        ),
        (
            "'MineOptimizerConstructor'",
            "",
            "there is no optimizer constructor 'MineOptimizerConstructor' (did you mean"
            f" 'MineOptimWrapperConstructor'? Else {ELSE})",
        ),
        (
            "'Their'",
            "default_scope = 'own_seg'",
            f"there is no optimizer constructor 'Their' (did you mean 'Theirs'? Else {ELSE})",
        ),
        (
            "'Nothing'",
            "default_scope = 'no_such_package'",
            "there is no optimizer constructor 'Nothing' (it belongs to the package no_such_package, which is"
            " not installed)",
        ),
        (
            "'no_such_package.Nothing'",
            "",
            "there is no optimizer constructor 'no_such_package.Nothing' (it belongs to the package"
            " no_such_package, which is not installed)",
        ),
        (
            "'own_seg.engine.Nothing'",
            "",
            "there is no optimizer constructor 'own_seg.engine.Nothing': there is no"
            " 'own_seg.engine.Nothing' (a config's names are imported from installed packages only; --trust"
            " lifts that)",
        ),
        (
            "'own_seg.Nothing'",
            "",
            "there is no optimizer constructor 'own_seg.Nothing'",
        ),
        ("3", "", "constructor must be a name, got int 3"),
        ("['Mine']", "", "constructor must be a name, got list ['Mine']"),
    ],
)
@pytest.mark.usefixtures("package")
def test_what_nothing_resolves(tmp_path: Path, constructor: str, before: str, said: str) -> None:
    register(tmp_path, ours("MineOptimWrapperConstructor", 1.0))
    assert said in refused(tmp_path, constructor, before)


def test_a_package_that_raises(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install(tmp_path, "own_broken", {"registry.py": "import no_such_module"}, monkeypatch)
    said = refused(tmp_path, "'own_broken.Mine'")
    assert (
        "the package 'own_broken' is installed but raises on import: ModuleNotFoundError: " in said
    )
    assert "registry.py:1)" in said
