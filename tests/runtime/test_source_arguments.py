"""What the sources of classes tell of their arguments: what Python says of the classes, or nothing."""

from __future__ import annotations

import importlib
import inspect
from pathlib import Path

import pytest

from optplan.runtime.source_arguments import source_arguments

SOURCE = """
from beside import Other as Another, Loose


class Own:
    def __init__(self, width, *, depth=3):
        pass

    def method(self, unseen):
        pass


class Below(Own):
    pass


class Imported(Another):
    pass


class Two(Own, Another):
    pass


class BelowLoose(Loose):
    pass


class Endless(Endless):
    pass


raise SystemExit("it is read, and never run")
"""
BESIDE = """
class Other:
    def __init__(self, lr): ...


class Loose:
    def __init__(self, lr, **more): ...
"""


@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        ("Own", {"width", "depth"}),
        ("Below", {"width", "depth"}),
        ("Imported", {"lr"}),
        ("Two", None),
        ("BelowLoose", None),
        ("Endless", None),
        ("Missing", None),
    ],
)
def test_of_a_file(name: str, wanted: set[str] | None, tmp_path: Path) -> None:
    (tmp_path / "own_classes.py").write_text(SOURCE)
    (tmp_path / "beside.py").write_text(BESIDE)
    assert source_arguments(f"own_classes.{name}", (str(tmp_path),)) == wanted


@pytest.mark.parametrize(
    "home", ["torch.optim", "torch.optim.lr_scheduler", "lightning.pytorch.callbacks"]
)
def test_equal_to_the_signatures_of_classes(home: str) -> None:
    module = importlib.import_module(home)
    known = {}
    for name, kind in vars(module).items():
        if isinstance(kind, type) and (found := source_arguments(f"{home}.{name}")) is not None:
            known[name] = found
            assert found == set(inspect.signature(kind).parameters), name
    assert len(known) > 10
    assert source_arguments("os.system") is None


def test_a_path_is_no_module(tmp_path: Path) -> None:
    (tmp_path / "secret.py").write_text("class Own:\n    def __init__(self, word): ...\n")
    folder = tmp_path / "beside"
    folder.mkdir()
    assert source_arguments("secret.Own", (str(tmp_path),)) == frozenset({"word"})
    for name in (f"{tmp_path}/secret.Own", "a/../../secret.Own"):
        assert source_arguments(name, (str(folder),)) is None
