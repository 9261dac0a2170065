"""Mistakes on the command line: each is answered by one message that says what to type instead."""

from __future__ import annotations

import shlex
import subprocess
from pathlib import Path

import pytest

from tests.conftest import Invoke, Run

PLAIN = "optimizer = dict(type='SGD', lr=0.1, weight_decay=0.1)\n"
NET = """from torch import nn


class Net(nn.Linear):
    def __init__(self, width=4, depth=1):
        super().__init__(width, depth)


class Wide(nn.Linear):
    pass


def broken():
    raise RuntimeError('no such width')
"""
FILES: dict[str, str | bytes] = {
    "plain.py": PLAIN,
    "net.py": NET,
    "empty.py": "",
    "empty.json": "",
    "empty.yaml": "",
    "binary.py": b"\x00\x01\xff",
    "cut.json": '{"optimizer": ',
    "list.json": "[1, 2]",
    "bad.yaml": "a: [1",
    "bad.toml": "[a",
    "parenthesis.py": "optimizer = dict(type='SGD'\n",
    "misspelt.py": "optimizer = dict(type='SDG', lr=0.1)\n",
    "text.py": "optimizer = dict(type='SGD', lr='0.1')\n",
    "symbol.py": "from torch.optim import AdamW\noptimizer = AdamW\n",
    "call.py": "from torch.optim import AdamW\noptimizer = AdamW(lr=0.1)\n",
    "undefined.py": "optimizer = AdamW\n",
    "name.py": "optim_wrapper = dict(optimizer='SGD')\n",
    "newer.json": '{"format_version": "9.0"}',
    "number.json": '{"format_version": 1}',
    "imports.py": "import nothing_there\n",
    "konfig ü.py": PLAIN,
    "sub/inner.py": PLAIN,
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A repository with one commit."""
    made = tmp_path_factory.mktemp("wrong")
    for name, content in FILES.items():
        path = made / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    (made / "link.py").symlink_to("nowhere.py")
    (made / "models").mkdir()
    for words in (
        ("init", "-q"),
        ("add", "plain.py", "net.py", "sub"),
        ("-c", "user.name=a", "-c", "user.email=a@b", "commit", "-qm", "first"),
    ):
        subprocess.run(["git", *words], cwd=made, check=True)
    return made


# what is typed, and the words that matter in the answer
NEAR_MISSES = [
    ("plain.py", "no such command 'plain.py': it is a config", "optplan show plain.py"),
    ("plain.py -m net.py:Net", "it is a config", "optplan show plain.py -m net.py:Net"),
    ("plain.py show", "the command comes first: optplan show plain.py"),
    ("--model resnet18 show plain.py", "optplan show --model resnet18 plain.py"),
    ("--view tree", "options follow the command: optplan show CONFIG --view"),
    ("shwo plain.py", "no such command 'shwo'", "did you mean 'show'?"),
    ("nothing", "no such command 'nothing'", "see optplan --help for the commands"),
    ("show plain.py resnet18", "unexpected argument 'resnet18'", "show plain.py --model resnet18"),
    ("show resnet18 plain.py", "hint: optplan show plain.py --model resnet18"),
    ("config plain.py resnet18", "hint: optplan show plain.py --model resnet18"),
    ("diff plain.py text.py resnet18", "hint: optplan diff plain.py text.py --model resnet18"),
    ("show plain.py text.py", "takes one config; optplan diff plain.py text.py compares two"),
    ("show plain.py optimizer.lr=1", "hint: a value of the config: --set optimizer.lr=1"),
    ("show plain.py -m net.py:Net weight", "--param", "-m net.py:Net --param weight"),
    ("show plain.py -k width=2 depth=3", "one -k each: -k width=2 -k depth=3"),
    ("show plain.py -m net.py:Net -k width=1,depth=2", "one -k each: -k width=1 -k depth=2"),
    ("show plain.py --set optimizer.lr=1,optimizer.momentum=0", "--set optimizer.momentum=0"),
    ("show plain.py --view tre", "error: --view: 'tre'", "hint: did you mean 'tree'?"),
    ("show plain.py --view=nothing", "hint: write params, tree, settings, keys, layers, depth or memory"),
    ("show plain.py --rule nrom", "did you mean 'norm'?"),
    ("show plain.py -f sarif", "-f: 'sarif' is not one of its values", "text, json, csv"),
    ("show plain.py --depth two", "--depth needs a whole number, not 'two'"),
    ("show plain.py --depth 1.5", "--depth needs a whole number, not '1.5'"),
    ("show plain.py --depth -1", "--depth must be at least 0, not -1"),
    ("verify plain.py --steps 0", "--steps must be at least 1, not 0"),
    ("schedule plain.py --iters 1e5", "--iters needs a whole number, not '1e5'"),
    ("check plain.py -j many", "-j needs a whole number, not 'many'"),
    ("diff plain.py HEAD", "'HEAD' is a git revision", "hint: write HEAD:plain.py"),
    ("diff HEAD sub/inner.py", "'HEAD' is a git revision", "hint: write HEAD:sub/inner.py"),
    ("show HEAD", "'HEAD' is a git revision, and names no file", "hint: write HEAD:FILE"),
    ("diff HEAD:plain.py", "name both sides: optplan diff HEAD:plain.py plain.py"),
    (
        "diff net.py:groups",
        "only a file is compared",
        "name both sides: optplan diff net.py:groups",
    ),
    ("diff link.py", "it is a link to 'nowhere.py', which is not there"),
    (
        "show symbol.py",
        "must be a dict, got the name torch.optim.AdamW",
        "dict(type=AdamW, lr=...)",
    ),
    ("show call.py", "write dict(type=AdamW, ...)"),
    ("show undefined.py", "the name 'AdamW' is not defined", "dict(type='AdamW', ...)"),
    ("show name.py", "name.py:1:22: 'optimizer' must be a dict", "write dict(type='SGD', lr=...)"),
    ("help nothing", "no such command 'nothing'"),
]

WRONG = [
    ("show", "optplan show: no CONFIG is given", "for example: optplan show config.py --model"),
    ("explain plain.py", "optplan explain: no NAME is given", "resnet50 'layer1.*.bias'"),
    ("verify", "no CONFIG is given", "for example: optplan verify config.py --model resnet50\n"),
    ("diff", "no A is given", "for example: optplan diff"),
    ("cache clean", "no such command 'clean'", "did you mean 'clear'?"),
    ("cache info now", "unexpected argument 'now'", "see optplan cache info --help"),
    ("show --modle x", "optplan show has no option '--modle'", "did you mean '--model'"),
    ("show plain.py --select OPT1", "'--select'", "it is an option of check"),
    ("config plain.py --model x", "'--model'", "it is an option of show, explain, diff, check"),
    ("show plain.py -o", "-o needs a value", "-o FILE"),
    ("show plain.py --model --view tree", "--model needs a value, but --view follows"),
    ("show plain.py -model resnet18", "no such option '-model'", "two dashes: --model"),
    ("show plain.py -format json", "no such option '-format'", "two dashes: --format"),
    ("diff plain.py text.py --full=3", "--full takes no value"),
    ("show plain.py \u2013model resnet18", "a dash that is no hyphen", "write --model"),
    ("show \u201cplain.py\u201d", "has quotes that this shell keeps", 'write "plain.py"'),
    ("explain plain.py -m net.py:Net \"'*'\"", "has quotes that this shell keeps", 'write "*"'),
    ("show plain.py --model ''", "the value of --model is empty", "a variable of the shell"),
    ("show plain.py --model=", "--model= is empty"),
    ("show ''", "an argument is empty"),
    ("show plian.py", "plian.py: there is no such file", "did you mean 'plain.py'"),
    ("show plain.txt", "plain.txt: there is no such file", "did you mean 'plain.py'"),
    ("show cofigs/plain.py", "there is no such file", "there is no folder 'cofigs'"),
    ("show resnet18", "there is no such file", "if it is the model, write --model resnet18"),
    ("show models", "models: it is a directory, not a config file"),
    ("show link.py", "it is a link to 'nowhere.py', which is not there"),
    ("show -", "'-' is no file", "only optplan check reads a config from stdin"),
    ("show https://example.org/a.py", "is no file", "download it first"),
    ("show 'C:\\configs\\a.py'", "C:\\configs\\a.py: there is no such file"),
    ("show C:/configs/a.py", "C:/configs/a.py: there is no such file", "there is no folder"),
    ("show 'konfig ü.py'", "which model?"),
    ("show empty.py", "give it one, such as optimizer = dict(type='SGD', lr=0.1)"),
    ("show empty.json", "empty.json:1:1: invalid JSON"),
    ("show empty.yaml", "empty.yaml: it is empty"),
    ("show binary.py", "binary.py: it is a binary file, not a config"),
    ("show cut.json", "cut.json:1:15: invalid JSON"),
    ("show list.json", "list.json: a config is a mapping of names to values"),
    ("show bad.yaml", "bad.yaml:1:6: invalid YAML"),
    ("show bad.toml", "bad.toml:1:3: invalid TOML"),
    ("show parenthesis.py", "parenthesis.py:1:17: invalid syntax: '(' was never closed"),
    ("show misspelt.py -m net.py:Net", "there is no optimizer 'SDG'", "did you mean 'SGD'?"),
    ("show text.py -m net.py:Net", "got the string '0.1'", "write 0.1, without quotes"),
    ("show newer.json", "has format 9.0, this optplan reads 1.0", "it is in 'newer.json'"),
    ("show number.json", "format_version is 1, not text", "it is in 'number.json'"),
    ("show nopackage::a.py", "there is no installed package 'nopackage'", "pip install it"),
    ("show mmpretrain::resnet/resnet18_8xb32_in1kk.py", "mmpretrain::resnet/resnet18_8xb32_in1k.py"),
    ("show NOREV:plain.py", "there is no revision 'NOREV'", "git log --oneline"),
    ("show HEAD:no.py", "'no.py' is not a file in the revision 'HEAD'", "git ls-tree"),
    ("show plain.py", "which model?", "name one: --model resnet50"),
    ("show plain.py -m resnet5O", "timm has no model 'resnet5O'", "did you mean 'resnet50'"),
    ("show plain.py -m net.py", "'net.py' is a file", "net.py:Net, net.py:Wide, net.py:broken"),
    ("show plain.py -m nett.py:Net", "there is no file 'nett.py'", "did you mean 'net.py'?"),
    ("show plain.py -m net.py:Nett", "there is no 'Nett'", "did you mean 'Net'"),
    ("show plain.py -m models", "'models' is a folder, not a model", "hf:models"),
    ("show plain.py -m net.py:Wide", "raises", "give -k in_features=... -k out_features=..."),
    ("show plain.py -m net.py:Net -k widht=2", "unexpected keyword", "did you mean 'width'?"),
    ("show plain.py -m net.py:Net -k k=2", "unexpected keyword", "it takes width, depth"),
    ("show plain.py -m net.py:broken", "RuntimeError: no such width (net.py:14)"),
    ("show plain.py -m imports.py:Net", "there is no module 'nothing_there'"),
    ("show plain.py -m net.py:Net -k 'width=2 3'", "is no Python literal", "two pairs of quotes"),
    ("show plain.py -m net.py:Net -k width", "-k width: write name=value", "such as -k width=8"),
    ("show plain.py --set optimizer.lr", "the form a.b.c=value", "such as --set optimizer.lr=0.1"),
    ("show plain.py -m net.py:Net --set optimizer.lrr=1", "no argument 'lrr'", "did you mean 'lr'?"),
    ("show plain.py -m net.py:Net --param weigth", "matches no parameter", "did you mean 'weight'?"),
    ("explain plain.py -m net.py:Net biass", "matches no parameter", "did you mean 'bias'?"),
    ("show plain.py -m net.py:Net --depth 2", "--depth is for --view tree"),
    ("show plain.py -m net.py:Net -o models", "cannot write 'models'"),
    ("schedule plain.py -m net.py:Net", "how long is the training?", "give --epochs N or --iters N"),
    ("schedule plain.py -m net.py:Net --iters 9 --epochs 9", "give one of them"),
    ("schedule plain.py -m net.py:Net --iters 9 --at x", "--at x", "write 1000, 1000it, 12ep"),
    ("verify plain.py -m net.py:Net --device gpu", "--device 'gpu'", "did you mean 'cpu'?"),
    ("verify plain.py -m net.py:Net --plan plain.py", "is no saved plan", "--format json"),
    ("check", "no configs are named", "name files or folders"),
    ("check models", "there is no config in this folder"),
    ("check plain.py --select OTP103", "--select", "did you mean 'OPT103'"),
    ("check plain.py -m resnet18 --no-model", "exclude each other"),
    ("check plain.py --baseline no.json", "no baseline 'no.json'", "--write-baseline makes it"),
    ("checks OPT9999", "there is no check 'OPT9999'"),
    ("checks 103", "there is no check '103'", "did you mean 'OPT103'?"),
    ("checks OPT1", "name one of OPT101, OPT102, OPT103"),
]  # fmt: skip


@pytest.mark.parametrize("case", [*NEAR_MISSES, *WRONG], ids=lambda case: case[0])
def test_a_mistake_is_answered(case: tuple[str, ...], folder: Path, invoke: Invoke) -> None:
    typed, *words = case
    done = invoke(*shlex.split(typed), cwd=folder)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("error: ")
    assert "Traceback" not in done.stderr
    assert "Usage:" not in done.stderr
    for word in words:
        assert word in done.stderr


def test_one_side_is_compared_with_the_last_commit(folder: Path, invoke: Invoke) -> None:
    same = invoke("diff", "plain.py", "-m", "net.py:Net", cwd=folder)
    assert (same.returncode, same.stderr) == (0, "")
    assert same.stdout.startswith("HEAD:plain.py \u2192 plain.py ")
    inner = folder / "sub" / "inner.py"
    inner.write_text(PLAIN.replace("lr=0.1", "lr=0.2"))
    try:
        changed = invoke("diff", "inner.py", "-m", "../net.py:Net", cwd=folder / "sub")
    finally:
        inner.write_text(PLAIN)
    assert (changed.returncode, changed.stderr) == (1, "")
    assert changed.stdout.startswith("HEAD:sub/inner.py \u2192 inner.py ")


def test_outside_of_a_repository(tmp_path: Path, invoke: Invoke) -> None:
    (tmp_path / "plain.py").write_text(PLAIN)
    done = invoke("diff", "plain.py", cwd=tmp_path)
    assert done.returncode == 2
    assert "plain.py cannot be compared with the last commit: " in done.stderr
    assert "name both sides: optplan diff A plain.py" in done.stderr


@pytest.mark.parametrize("words", [("help", "show"), ("show", "help"), ("show", "--help")])
def test_help(words: tuple[str, ...], invoke: Invoke) -> None:
    done = invoke(*words)
    assert (done.returncode, done.stderr) == (0, "")
    assert "Usage: optplan show" in done.stdout


def test_version(invoke: Invoke) -> None:
    assert invoke("-V").stdout == invoke("--version").stdout
    assert invoke("-V").returncode == 0


def test_colors_only_where_they_are_wanted(run: Run, tmp_path: Path) -> None:
    colored = run("shwo", cwd=tmp_path, FORCE_COLOR="1", TERM="xterm-256color")
    assert "\x1b[31merror: " in colored.stderr
    for environment in ({"NO_COLOR": "1", "FORCE_COLOR": "1"}, {"TERM": "dumb"}, {}):
        plain = run("shwo", cwd=tmp_path, **environment)
        assert plain.stderr == "error: no such command 'shwo'\n  hint: did you mean 'show'?\n"


@pytest.mark.parametrize("columns", ["50", "71", "72", "80"])
def test_help_cuts_no_word(columns: str, invoke: Invoke, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", columns)
    names = {
        "": ("--version", "mended one."),
        "show": ("--auto-scale-lr", "no_weight_decay", "uncovered", "--materialize"),
        "check": ("--stdin-filename", "--write-baseline"),
        "schedule": ("--iters-per-epoch", "--auto-scale-lr"),
    }
    for command, words in names.items():
        shown = invoke(*command.split(), "--help").stdout
        assert "\u2026" not in shown
        assert all(word in shown for word in words), command
