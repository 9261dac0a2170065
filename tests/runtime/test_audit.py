"""What restricted code may do and what not, seen in a process of its own."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from optplan.runtime import audit_events

START = """
import collections, ctypes, dataclasses, json, multiprocessing, os, pickle, socket, subprocess, sys
import tempfile, threading, typing
import torch, torchvision.io
from optplan.runtime.audit import lifted, restrict_process, restricted
from optplan.runtime.torch_files import announce_torch_files

scratch, outside = sys.argv[1:3]
told = {}

def _try(path):
    try:
        open(path)
    except BaseException as error:
        return error
    return AssertionError("allowed")

announce_torch_files()
restrict_process(scratch)
"""
ATTEMPT = """
def attempt():
    {body}
try:
    attempt()
except BaseException as error:
    told[{name!r}] = type(error).__name__ + ": " + str(error)
else:
    told[{name!r}] = "allowed"
"""

_INTERPRETERS = "_interpreters" if sys.version_info >= (3, 13) else "_xxsubinterpreters"
REFUSED = {
    "reading": ("open(outside).read()", "read"),
    "reading by descriptor": ("os.open(outside, os.O_RDONLY)", "read"),
    "reading through a link": ("open(outside + '.link').read()", "read"),
    "writing": ("open(outside + '.new', 'w')", "write"),
    "appending": ("open(outside, 'a')", "write"),
    "creating by descriptor": ("os.open(outside + '.new', os.O_CREAT | os.O_WRONLY)", "write"),
    "removing": ("os.remove(outside)", "change files"),
    "renaming": ("os.rename(outside, outside + '.moved')", "change files"),
    "renaming from within": (
        "open(scratch + '/a', 'w'); os.rename(scratch + '/a', outside + '.moved')",
        "change files",
    ),
    "a link from within": (
        "open(scratch + '/b', 'w'); os.link(scratch + '/b', outside + '.moved')",
        "change files",
    ),
    "a link to within": ("os.symlink(scratch, outside + '.moved')", "change files"),
    "a pipe": ("os.mkfifo(outside + '.pipe')", "use "),
    "a device": ("import posix; posix.mknod(outside + '.device')", "use "),
    "a second interpreter": (
        f"from {_INTERPRETERS} import create; create()",
        "",
    ),
    "an annotation": (
        "with restricted():\n        "
        "typing.get_type_hints(type('A', (), {'__annotations__': {'a': 'print()'}}))",
        "execute",
    ),
    "a file that torch maps": ("torch.UntypedStorage.from_file(outside, False, 4)", "write"),
    "a file that torch reads": ("torch.from_file(outside, size=1)", "write"),
    "a file that torch's script reads": ("torch.jit.load(outside)", "read"),
    "a file that torch's package reads": ("torch.package.PackageImporter(outside)", "read"),
    "a file that torch's compiled model reads": (
        "torch._C._aoti.AOTIModelPackageLoader(outside)",
        "read",
    ),
    "a picture": ("torchvision.io.read_file(outside)", "read"),
    "a picture that is written": (
        "torchvision.io.write_file(outside, torch.zeros(1, dtype=torch.uint8))",
        "write",
    ),
    "a folder": ("os.mkdir(outside + '.folder')", "change files"),
    "the current folder": ("os.chdir('/')", "change files"),
    "permissions": ("os.chmod(outside, 0o777)", "change files"),
    "a shell": ("os.system('true')", "run or end a process"),
    "a program": ("subprocess.run(['true'])", "run or end a process"),
    "a spawned program": ("os.posix_spawn('/bin/true', ['true'], {})", "run or end a process"),
    "a fork": ("os.fork()", "run or end a process"),
    "a signal": ("os.kill(os.getppid(), 0)", "run or end a process"),
    "a look-up": ("socket.getaddrinfo('example.org', 80)", "use the network"),
    "an older look-up": ("socket.gethostbyname('example.org')", "use the network"),
    "a connection": ("socket.socket().connect(('127.0.0.1', 9))", "use the network"),
    "the module below": (
        "import _socket; _socket.socket(2, 1).connect(('127.0.0.1', 9))",
        "use the network",
    ),
    "a datagram": (
        "socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b'x', ('127.0.0.1', 9))",
        "use the network",
    ),
    "a local socket": ("socket.socket(socket.AF_UNIX).connect('/run/x')", "use the network"),
    "a server": ("socket.socket().bind(('127.0.0.1', 0))", "use the network"),
    "text": ("exec('x = 1')", "execute text"),
    "an expression": ("eval('1 + 1')", "execute text"),
    "compiled text": ("exec(compile('x = 1', torch.__file__, 'exec'))", "execute text"),
    "a function of bytes": ("type(attempt)((lambda: 0).__code__, {})", "make code"),
    "a code object": ("(lambda: 0).__code__.replace(co_name='x')", "make code"),
    "a pickle": ("pickle.loads(pickle.dumps(collections.OrderedDict))", "make code"),
    "a library": ("ctypes.CDLL('libc.so.6')", "load a library"),
    "a driver": ("ctypes.CDLL('libnvidia-ml.so.1')", "load a library"),
    "an import from outside": (
        "sys.path.insert(0, os.path.dirname(outside)); import outside_module",
        "",
    ),
    "a question": ("input()", "use builtins.input"),
    "a database": ("import sqlite3; sqlite3.connect(outside)", "change files"),
    "a thread": (
        "found = []\n    t = threading.Thread(target=lambda: found.append(_try(outside)))\n"
        "    t.start(); t.join()\n    raise found[0]",
        "read",
    ),
    "a spawned Python": (
        "import multiprocessing\n    multiprocessing.get_context('spawn').Process(target=print).start()",
        "",
    ),
}

if sys.version_info[:2] == (
    3,
    12,
):  # which crashes where an interpreter is refused: the process ends
    del REFUSED["a second interpreter"]
ALLOWED = {
    "a model": "torch.nn.Linear(2, 2, device='meta')",
    "a module of the standard library": "import wave",
    "torch that counts devices": "torch.cuda._device_count_nvml()",
    "a module of a package": "import torch.utils.mobile_optimizer",
    "a class of its own": "dataclasses.make_dataclass('A', ['x'])(1)",
    "an annotation without a call": "typing.get_type_hints(dataclasses.make_dataclass('A', [('x', 'int')]))",
    "a file moved within": "open(scratch + '/c', 'w'); os.rename(scratch + '/c', scratch + '/d')",
    "a tuple of its own": "collections.namedtuple('A', 'x y')(1, 2)",
    "a file of a package": "open(torch.__file__).read()",
    "the null device": "open(os.devnull, 'w').write('x')",
    "a scratch file": "tempfile.TemporaryFile(dir=scratch)",
    "the environment": "os.environ['OPTPLAN_X'] = '1'",
    "the user's own": "with lifted():\n        open(outside).read()",
}


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """What each attempt came to, all made in one process."""
    folder = tmp_path_factory.mktemp("outside")
    (folder / "scratch").mkdir()
    (folder / "outside_module.py").write_text("print('this must not run')\n")
    (folder / "secret").write_text("the secret\n")
    (folder / "secret.link").symlink_to(folder / "secret")
    program = tmp_path_factory.mktemp("probe") / "probe.py"
    bodies = {**{name: body for name, (body, _) in REFUSED.items()}, **ALLOWED}
    attempts = [ATTEMPT.format(body=body, name=name) for name, body in bodies.items()]
    program.write_text(START + "".join(attempts) + "print(json.dumps(told))\n")
    done = subprocess.run(
        [
            sys.executable,
            "-W",
            "ignore",
            str(program),
            str(folder / "scratch"),
            str(folder / "secret"),
        ],
        capture_output=True,
        text=True,
        check=False,
        stdin=subprocess.DEVNULL,
    )
    assert done.stderr == ""
    assert (folder / "secret").read_text() == "the secret\n"
    names = sorted(path.name for path in folder.iterdir())
    assert names == ["outside_module.py", "scratch", "secret", "secret.link"]
    found: dict[str, str] = json.loads(done.stdout)
    return found


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_refused(name: str, told: dict[str, str]) -> None:
    assert told[name] != "allowed"
    assert REFUSED[name][1] in told[name]


@pytest.mark.parametrize("name", ALLOWED)
def test_what_is_allowed(name: str, told: dict[str, str]) -> None:
    assert told[name] == "allowed"


@pytest.mark.parametrize(
    ("loader_path", "is_refused"),
    [
        ("", False),
        ("/usr/lib:/opt/lib", False),
        ("/usr/lib:", True),  # an empty entry is the working folder
        ("lib:/usr/lib", True),
        ("/usr/lib;.", True),
        ("other:/usr/lib", False),
    ],
)
def test_no_driver_from_the_working_folder(
    loader_path: str, is_refused: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refusal() -> str | None:
        return audit_events.EVENTS["ctypes.dlopen"]("ctypes.dlopen", ("libnvidia-ml.so.1",))

    monkeypatch.setattr(audit_events, "_LOADER_PATH", loader_path)
    monkeypatch.setattr(audit_events, "_is_torch_asking", lambda _frame: True)
    monkeypatch.chdir(tmp_path)
    assert refusal() is None
    for folder in (".", "lib"):
        Path(folder).mkdir(exist_ok=True)
        (Path(folder) / "libnvidia-ml.so.1").touch()
    assert (refusal() or "").startswith("load a library") == is_refused
