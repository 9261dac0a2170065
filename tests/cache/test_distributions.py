"""Whether an installed distribution is still what it was."""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Callable
from importlib import metadata
from pathlib import Path

import pytest

from optplan.cache import Store
from optplan.cache.cache_key import VARIABLES, cache_key
from optplan.cache.distributions import Installed, installed

NAME = "optplan_test_alpha"
FILES = (f"{NAME}/__init__.py", f"{NAME}/deep/layers.py", f"{NAME}/fast.so", f"{NAME}/notes.txt")


class Site:
    """A folder with one distribution in it, which can be imported from."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.home = folder / f"{NAME}-1.5.dist-info"
        self.store = Store(str(folder / "cache"))
        for file in FILES:
            (folder / file).parent.mkdir(parents=True, exist_ok=True)
            (folder / file).write_text("x = 1\n")
        self.home.mkdir()
        (self.home / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {NAME}\nVersion: 1.5\n")
        (self.home / "RECORD").write_text("".join(f"{file},sha256=abc,6\n" for file in FILES))

    def installed(self) -> Installed | None:
        return installed(NAME, self.store)


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Site:
    found = Site(tmp_path / "site")
    monkeypatch.syspath_prepend(str(found.folder))
    return found


def test_a_distribution_is_known_by_its_record(site: Site) -> None:
    found = site.installed()
    assert found is not None
    assert (found.folder, found.version) == (str(site.folder), "1.5")
    assert site.installed() == found
    assert [entry.kind for entry in site.store.entries()] == ["distribution"]


def rewrite_alike(site: Site) -> None:
    """The same size, another content."""
    file = site.folder / FILES[1]
    before = file.stat()
    file.write_text("x = 2\n")
    os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns + 1))


def rewrite_at_once(site: Site) -> None:
    """The same time, another size."""
    file = site.folder / FILES[0]
    before = file.stat()
    file.write_text("x = 10\n")
    os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))


def remove_module(site: Site) -> None:
    (site.folder / FILES[1]).unlink()


def rebuild_extension(site: Site) -> None:
    (site.folder / FILES[2]).write_text("another build")


def install_again(site: Site) -> None:
    record = site.home / "RECORD"
    record.write_text(record.read_text() + f"{NAME}/new.py,sha256=abc,6\n")


def touch_metadata(site: Site) -> None:
    os.utime(site.home / "METADATA", (1, 1))


CHANGES = (
    rewrite_alike,
    rewrite_at_once,
    remove_module,
    rebuild_extension,
    install_again,
    touch_metadata,
)


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.__name__)
def test_a_change_is_seen(site: Site, change: Callable[[Site], None]) -> None:
    before = site.installed()
    change(site)
    after = site.installed()
    assert before is not None
    assert after is not None
    assert before.state != after.state


def test_what_is_no_code_may_change(site: Site) -> None:
    before = site.installed()
    (site.folder / FILES[3]).write_text("more notes")
    assert site.installed() == before


def make_editable(site: Site) -> None:
    (site.home / "direct_url.json").write_text(
        '{"url": "file:///x", "dir_info": {"editable": true}}'
    )


def lose_record(site: Site) -> None:
    (site.home / "RECORD").unlink()


def lose_metadata(site: Site) -> None:
    (site.home / "METADATA").unlink()


def garble_origin(site: Site) -> None:
    (site.home / "direct_url.json").write_text("{")


@pytest.mark.parametrize(
    "change",
    [make_editable, lose_record, lose_metadata, garble_origin],
    ids=lambda change: change.__name__,
)
def test_what_cannot_be_vouched_for_is_not_known(
    site: Site, change: Callable[[Site], None]
) -> None:
    assert site.installed() is not None
    change(site)
    assert site.installed() is None


def test_an_install_from_a_local_folder_is_known(site: Site) -> None:
    origin = {"url": "file:///x", "dir_info": {}}
    (site.home / "direct_url.json").write_text(json.dumps(origin))
    assert site.installed() is not None


def test_another_package_of_that_name_hides_it(
    site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    checkout = tmp_path / "checkout" / NAME
    checkout.mkdir(parents=True)
    (checkout / "__init__.py").write_text("")
    monkeypatch.syspath_prepend(str(checkout.parent))
    assert site.installed() is None


def test_what_is_not_installed_is_not_known(site: Site) -> None:
    assert installed("optplan_test_beta", site.store) is None


def test_damaged_contents_are_read_again(site: Site) -> None:
    before = site.installed()
    (entry,) = site.store.entries()
    Path(entry.path).write_text("{")
    assert site.installed() == before


@pytest.mark.parametrize(
    ("variable", "counts"),
    [
        ("TIMM_FUSED_ATTN", True),
        ("TORCH_LOGS", True),
        ("PYTORCH_JIT", True),
        ("PYTHONPATH", True),
        ("FORK_LAST3", True),
        ("OPTPLAN_CACHE_DIR", False),
        ("EDITOR", False),
    ],
)
def test_variables_that_torch_and_timm_read_count(
    variable: str, counts: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = Store(str(tmp_path))
    before = cache_key(store)
    monkeypatch.setenv(variable, "something else")
    after = cache_key(store)
    assert before is not None
    assert after is not None
    assert (before.key != after.key) is counts


def test_all_variables_that_timms_models_read_count() -> None:
    import timm

    folder = Path(timm.__file__).parent
    text = "".join(
        file.read_text("utf-8")
        for part in ("models", "layers")
        for file in (folder / part).glob("**/*.py")
    )
    read = set(re.findall(r"(?:environ(?:\.get)?|getenv)[\[(]['\"](\w+)", text))
    assert {"TIMM_FUSED_ATTN", "FORK_LAST3"} <= read
    assert [name for name in read if not name.startswith(VARIABLES)] == []


@pytest.mark.parametrize(
    "made_up", [3, [], ["1.0"], ["1.0", 3], ["1.0", [3]], [3, []], ["1.0", ["\0"]]]
)
def test_made_up_contents_are_read_again(site: Site, made_up: object) -> None:
    before = site.installed()
    (entry,) = site.store.entries()
    header = json.loads(Path(entry.path).read_text().split("\n")[0])
    site.store.put(header["kind"], header["key"], made_up)
    assert site.installed() == before


def test_the_key_names_the_versions_that_count(tmp_path: Path) -> None:
    import timm
    import torch

    found = cache_key(Store(str(tmp_path)))
    assert found is not None
    assert found.versions == {name: metadata.version(name) for name in ("torch", "timm")}
    assert found.key["python"][0] == sys.version
    for package in (torch, timm):
        folder, version, _ = found.key[package.__name__]
        assert version == metadata.version(package.__name__)
        assert str(package.__file__).startswith(folder)
