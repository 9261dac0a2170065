"""What a config names is imported from installed distributions, and from nowhere else."""

from __future__ import annotations

import importlib
import json
import site
import subprocess
import sys
from pathlib import Path

import pytest

from optplan.cache.distributions import installed as distribution
from optplan.cache.store import Store
from optplan.config import load_config
from optplan.constructors.optimizers import optimizer_class
from optplan.errors import ConfigError
from optplan.runtime.gate import NotInstalledError, import_named
from optplan.runtime.installed import (
    find_installed,
    is_installed,
    is_users_file,
    package_config,
    package_folder,
)
from tests.conftest import Invoke, Run

SECRET = "raise SystemExit('this must not run')\n"


def test_installed_packages_are_found_without_being_imported() -> None:
    program = (
        "import sys; from optplan.runtime.installed import find_installed;"
        "print(find_installed('timm').name, 'timm' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout == "timm False\n"


@pytest.mark.parametrize("name", ["os", "antigravity", "no_such_package"])
def test_what_no_distribution_owns_is_not_found(name: str) -> None:
    assert find_installed(name) is None


@pytest.mark.parametrize("dotted", ["beside", "beside.Thing", "beside.inner.Thing"])
def test_the_current_folder_and_pythonpath_are_left_out(
    dotted: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "beside.py").write_text(SECRET)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.syspath_prepend(str(tmp_path))
    with pytest.raises(NotInstalledError, match="no installed package provides"):
        import_named(dotted, trusted=False)


def test_of_an_imported_package_of_the_users_only_what_is_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "package_of_mine").mkdir()
    (tmp_path / "package_of_mine" / "__init__.py").write_text("class Thing: pass\n")
    (tmp_path / "package_of_mine" / "beside.py").write_text(SECRET)
    monkeypatch.syspath_prepend(str(tmp_path))
    mine = importlib.import_module("package_of_mine")
    monkeypatch.setitem(sys.modules, "package_of_mine", mine)
    assert import_named("package_of_mine.Thing", trusted=False) is mine.Thing
    with pytest.raises(NotInstalledError, match=r"provides 'package_of_mine\.beside"):
        import_named("package_of_mine.beside.Thing", trusted=False)


def test_no_other_module_is_reached_through_torchs_own() -> None:
    program = """\
import sys
from optplan.runtime.gate import NotInstalledError, import_named
import torch
try:
    import_named("torch.optim.optimizer.torch._inductor.x", trusted=False)
except NotInstalledError:
    print("torch._inductor" in sys.modules)
"""
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout == "False\n"


def test_a_package_in_the_current_folder_does_not_hide_an_installed_one(
    tmp_path: Path, run: Run
) -> None:
    (tmp_path / "torchvision").mkdir()
    (tmp_path / "torchvision" / "__init__.py").write_text(SECRET)
    (tmp_path / "a.py").write_text("optimizer = dict(type='torchvision.ops.DeformConv2d')\n")
    done = run(
        "show",
        "a.py",
        "-m",
        "torch.nn:Linear",
        "-k",
        "in_features=1",
        "-k",
        "out_features=1",
        cwd=tmp_path,
        PYTHONPATH=str(tmp_path),
    )
    assert done.returncode == 2
    assert "this must not run" not in done.stderr


def test_packages_are_found_where_an_installed_one_is_run(monkeypatch: pytest.MonkeyPatch) -> None:
    # python -m optplan
    folder = site.getsitepackages()[0]
    monkeypatch.setattr(sys, "argv", [str(Path(folder) / "optplan" / "__main__.py")])
    monkeypatch.delitem(sys.modules, "jsonschema", raising=False)
    assert import_named("jsonschema.validate", trusted=False) is not None


def editable(folder: Path, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """An editable install of a package, as hatchling and setuptools write it."""
    source, packages = folder / "source", folder / "site-packages"
    source.mkdir()
    packages.mkdir()
    (source / f"{name}.py").write_text("class Thing: pass\n")
    info = packages / f"{name}-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
    (info / "direct_url.json").write_text(
        json.dumps({"url": source.as_uri(), "dir_info": {"editable": True}})
    )
    (info / "RECORD").write_text(f"_{name}.pth,,\n{name}-1.0.dist-info/METADATA,,\n")
    (packages / f"_{name}.pth").write_text(f"{source}\n")
    monkeypatch.setattr(site, "getsitepackages", lambda: [str(packages)])
    monkeypatch.setattr(site, "ENABLE_USER_SITE", False)


def test_an_editable_install_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    editable(tmp_path, "optplan_test_editable", monkeypatch)
    found = find_installed("optplan_test_editable")
    assert found is not None
    assert found.origin == str(tmp_path / "source" / "optplan_test_editable.py")


def test_a_loose_file_in_site_packages_is_no_distribution(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    editable(tmp_path, "optplan_test_other", monkeypatch)
    (tmp_path / "site-packages" / "optplan_test_loose.py").write_text(SECRET)
    assert find_installed("optplan_test_loose") is None


def test_a_bare_folder_in_site_packages_is_installed_for_nobody(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    editable(tmp_path, "optplan_test_other", monkeypatch)
    name, packages = "optplan_test_bare", tmp_path / "site-packages"
    (packages / name / "configs").mkdir(parents=True)
    (packages / name / "__init__.py").write_text("class Thing: pass\n")
    (packages / name / "inner.py").write_text(SECRET)
    (packages / name / "configs" / "a.py").write_text("optimizer = dict(type='SGD', lr=0.1)\n")
    monkeypatch.syspath_prepend(str(packages))
    assert (find_installed(name), package_folder(name), package_config(name, "a.py")) == (None,) * 3
    with pytest.raises(ConfigError, match=f"no installed package '{name}'"):
        load_config(f"{name}::a.py")
    assert distribution(name, Store(str(tmp_path / "cache"))) is None
    # Nor is it where something has imported it.
    monkeypatch.setitem(sys.modules, name, importlib.import_module(name))
    assert not is_installed(name)
    with pytest.raises(NotInstalledError, match=rf"no installed package provides '{name}\.inner"):
        import_named(f"{name}.inner.Thing", trusted=False)
    # Yet its code is not the user's own, which would run unrestricted.
    assert not is_users_file(str(packages / name / "__init__.py"))


@pytest.mark.parametrize("name", ["timm", "torch", "json", "optplan"])
def test_what_is_loaded_and_installed_stays_so(name: str) -> None:
    importlib.import_module(name)
    assert is_installed(name)


@pytest.mark.parametrize(
    "dotted", ["torch.optim.__class__", "torch.optim.Nothing", "torch.nothing.Here"]
)
def test_there_is_no_such_attribute(dotted: str) -> None:
    with pytest.raises(NotInstalledError, match="there is no"):
        import_named(dotted, trusted=False)


OPTIMIZER = "import torch\nclass Mine(torch.optim.SGD):\n    pass\nprint('imported')\n"


def test_trust_lifts_it(tmp_path: Path, invoke: Invoke) -> None:
    (tmp_path / "optplan_test_mine.py").write_text(OPTIMIZER)
    (tmp_path / "a.py").write_text("optimizer = dict(type='optplan_test_mine.Mine', lr=0.1)\n")
    words = ("show", "a.py", "-m", "torch.nn:Linear", "-k", "in_features=1", "-k", "out_features=1")
    refused = invoke(*words, cwd=tmp_path)
    assert (refused.returncode, refused.stdout) == (2, "")
    assert refused.stderr.endswith(
        "  hint: a config's names are imported from installed packages only; --trust lifts that\n"
    )
    trusted = invoke(*words, "--trust", cwd=tmp_path)
    assert (trusted.returncode, trusted.stderr) == (0, "imported\n")
    assert trusted.stdout.splitlines()[0].split()[-4:] == ["lr", "0.1", "weight_decay", "0"]


def test_a_known_optimizer_comes_from_its_installed_package(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    packages, current = tmp_path / "site-packages", tmp_path / "current"
    info = packages / "lion_pytorch-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: lion_pytorch\nVersion: 1.0\n")
    (info / "RECORD").write_text("lion_pytorch.py,,\n")
    (packages / "lion_pytorch.py").write_text(OPTIMIZER.replace("Mine", "Lion"))
    current.mkdir()
    (current / "lion_pytorch.py").write_text(SECRET)
    monkeypatch.setattr(site, "getsitepackages", lambda: [str(packages)])
    monkeypatch.setattr(site, "ENABLE_USER_SITE", False)
    monkeypatch.syspath_prepend(str(packages))
    monkeypatch.chdir(current)
    monkeypatch.syspath_prepend(str(current))
    monkeypatch.setitem(sys.modules, "lion_pytorch", None)
    monkeypatch.delitem(sys.modules, "lion_pytorch")
    assert optimizer_class("Lion").__module__ == "lion_pytorch"
    captured = capsys.readouterr()
    assert (captured.out, captured.err) == ("", "imported\n")
