"""What Linux itself refuses, in a process of its own, without the audit hook."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

PROGRAM = """
import json, os, socket, sys
import torch, torchvision
from optplan.runtime.landlock import prepare_wall, raise_wall
scratch, outside, given = sys.argv[1:4]
told = {}
def attempt(name, what):
    try:
        what()
    except OSError as error:
        told[name] = error.strerror
    except Exception as error:
        told[name] = str(error)
    else:
        told[name] = "done"
attempt("before", lambda: open(outside).read())
prepare_wall(scratch, [given])
raise_wall()
attempt("given", lambda: open(given).read())
attempt("write given", lambda: open(given, "a"))
attempt("read", lambda: open(outside).read())
attempt("write beside", lambda: open(outside + ".new", "w"))
attempt("remove", lambda: os.remove(outside))
attempt("truncate", lambda: os.truncate(outside, 0))
attempt("list", lambda: os.listdir(os.path.dirname(outside)))
attempt("link", lambda: os.symlink("/", outside + ".link"))
attempt("program", lambda: os.waitpid(os.posix_spawn("/bin/true", ["true"], {}), 0))
attempt("scratch", lambda: open(os.path.join(scratch, "a"), "w").write("x"))
attempt("storage", lambda: torch.UntypedStorage.from_file(outside, False, 4))
attempt("tensor", lambda: torch.from_file(outside, shared=True, size=1))
attempt("script", lambda: torch._C.import_ir_module(torch._C.CompilationUnit(), outside, None, {}, False))
attempt("picture", lambda: torchvision.io.read_file(outside))
attempt("write picture", lambda: torchvision.io.write_file(outside, torch.zeros(2, dtype=torch.uint8)))
attempt("import", lambda: __import__("timm"))
print(json.dumps(told))
"""
DONE = {"before", "given", "scratch", "import"}


def has_landlock() -> bool:
    """Return whether this system has it."""
    program = "import ctypes, sys; sys.exit(ctypes.CDLL(None).syscall(444, None, 0, 1) < 1)"
    return (
        sys.platform == "linux"
        and subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
    )


@pytest.mark.skipif(not has_landlock(), reason="this system has no Landlock")
def test_only_what_is_given_is_open(tmp_path: Path) -> None:
    for name in ("scratch", "outside"):
        (tmp_path / name).mkdir()
    outside, given = tmp_path / "outside" / "a", tmp_path / "given"
    for file in (outside, given):
        file.write_text("text")
    words = [sys.executable, "-c", PROGRAM, str(tmp_path / "scratch"), str(outside), str(given)]
    done = subprocess.run(
        words, capture_output=True, text=True, check=True, env={"TMPDIR": str(tmp_path / "scratch")}
    )
    told = json.loads(done.stdout)
    assert {name for name, said in told.items() if said == "done"} == DONE
    refused = {name: said for name, said in told.items() if name not in DONE}
    assert all("denied" in said or "_file" in said for said in refused.values()), refused
    assert outside.read_text() == given.read_text() == "text"
    assert [one.name for one in (tmp_path / "outside").iterdir()] == ["a"]
