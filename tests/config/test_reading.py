"""Files from elsewhere than the disk, and packages that are found without importing them."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from optplan.config import Symbol, load_config
from optplan.errors import ConfigError
from optplan.runtime.installed import package_folder


class Memory:
    """A reader of texts that stand in no file."""

    def __init__(self, texts: dict[str, str]) -> None:
        self.texts = {str(Path.cwd() / name): text for name, text in texts.items()}

    def exists(self, path: str) -> bool:
        return path in self.texts

    def read(self, path: str) -> bytes:
        try:
            return self.texts[path].encode()
        except KeyError:
            raise FileNotFoundError(path) from None


def test_a_reader_reads_the_bases_too() -> None:
    reader = Memory({"a/main.py": "_base_ = '../b.py'\nx = 1", "b.py": "y = 2"})
    assert load_config("a/main.py", reader=reader).to_dict() == {"y": 2, "x": 1}


def test_a_reader_may_miss_a_base() -> None:
    with pytest.raises(ConfigError, match=r"a/main.py:1:10: .*'b.py': there is no such file"):
        load_config("a/main.py", reader=Memory({"a/main.py": "_base_ = '../b.py'"}))


def test_a_package_beside_the_config_is_not_installed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "planted" / "configs"
    folder.mkdir(parents=True)
    (folder / "a.py").write_text("x = 1")
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    assert package_folder("planted") is None
    with pytest.raises(ConfigError, match="no installed package 'planted'"):
        load_config("planted::a.py")


def test_symbols_are_names_only(tmp_path: Path) -> None:
    path = tmp_path / "main.py"
    path.write_text("from nowhere.at_all import Thing\nx = dict(type=Thing)\n")
    data = load_config(path).data
    assert data == {"x": {"type": Symbol("nowhere.at_all.Thing")}}
    assert str(data["x"]["type"]) == "nowhere.at_all.Thing"


def test_loading_imports_nothing_heavy(tmp_path: Path) -> None:
    path = tmp_path / "main.py"
    path.write_text("import torch\nx = torch.nn\n")
    code = (
        "import sys; from optplan.config import load_config; load_config(sys.argv[1])\n"
        "print(sorted({'torch', 'timm', 'mmengine', 'yaml', 'tomllib'} & sys.modules.keys()))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(path)],
        capture_output=True,
        text=True,
        check=True,
        cwd=Path(__file__).parents[2],
    )
    assert done.stdout == "[]\n"
