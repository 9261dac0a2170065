"""Small configs of every kind, against the running reference."""

from __future__ import annotations

from typing import Any

import pytest

from optplan.config import load_config
from optplan.errors import ConfigError

BASE = {
    "b.py": "model=dict(type='A', depth=3, head=dict(x=1, y=[1, 2]), lst=[dict(a=1), dict(b=2)])\n"
    "lr=0.1\nt=(1, 2)\nname='foo'\n"
}
PURE = {
    "base.py": "from torch.optim import SGD\nfrom torch.nn import ReLU\n"
    "optim_wrapper=dict(optimizer=dict(type=SGD, lr=0.1), k=[dict(a=1)])\n"
    "pipe=[dict(type='A'), dict(type='B')]\n",
    "nn.py": "import torch.nn as nn\nimport torch\n"
    "z=dict(type=nn.Conv2d, u=torch.optim.SGD, v=nn, w=torch)\n",
}
READ = "from mmengine.config import read_base\nwith read_base():\n    from .base import *\n"

BOTH_LOAD = {
    # the evaluator
    "loop": "x=1\nfor i in range(3):\n    x += i\n    y = x\n",
    "targets": "x=[1, 2]\ny=x\ny += [3]\nx[0] += 5\na, b, (c, d) = 1, 3, (4, 5)\n",
    "aliases": "x=[1]\ny=[x, x]\ny[0].append(2)\nz=dict(a=y, b=x)\nx.append(3)",
    "chain": "a = b = []\na.append(1)",
    "literals": "x={1, 2}\ny=range(3)\nz=1j\nb=b'x'\ne=...\nn=None\nh=0x10\nk=1_000\nm=-1e-3",
    "builtins as data": "x=dict\ny=[int, float]\nz=len",
    "texts": "x='a' 'b'\ny=r'\\d'\nz='\\d'\nw=f'{1!r:>5}{\"a\"}{{}}'\nv=f'{3=}'\nu=f'{1.5:{8}.{2}f}'",
    "format": "x='{:>5}|{!r}|{}'.format('a', 'b', 3)\ny='{a}{b:03d}'.format(a=1, b=2)\n"
    "z='%s-%03d' % ('a', 5)\nw='{0}{1:.3f}{0}'.format('a', 0.5)\nv='{{{}}}'.format([1, {'a': ()}])",
    "operators": "x=1\nx/=2\ny=7//2\nz=2**10\nw=2**-1\nv=7 % 3\nu=1 << 3\nt=-5\ns=+5\nr=6 >> 1",
    "logic": "w=not 1\nv=1 < 2 < 3\nu=1 if w else 2\nt=None or 3\ns=1 and 0\nr=3 in [3] is not None",
    "slices": "a=[1, 2, 3, 4]\nb=a[1:3]\nc=a[::-1]\nd='abc'[1]\ndel a[0]\na[1:]=[9]\n"
    "a.insert(0, 'x')\nx=a.index(9)\na.extend(b)\na.remove(9)\ne=(1, 2, 3)[-2:]",
    "comprehensions": "x=[y for y in range(3)]\nz={k: v for k, v in dict(a=1).items()}\n"
    "w={i for i in 'aab'}\nq=any(i > 1 for i in [1, 2])\n"
    "n=[(i, j) for i in range(3) for j in range(i) if j or i]",
    "lazy any": "x=any(1 / i for i in [1, 0])\n",
    "builtins": "x=isinstance(1, (int, float))\ny=round(2.567, 1)\nz=abs(-3)\nw=min(1, 2)\nv=str(1.0)\n"
    "u=int('3')\nt=float('inf')\ns=bool([])\nr=list(reversed([1, 2]))\nq=tuple([1])\np=set([1, 1])\n"
    "o=len('abc')\nn=round(2.5)\nm=sum([[1], [2]], [])\nl=sum([0.1] * 10)\n"
    "k=dict(zip('ab', [1, 2]))\nj=list(enumerate('ab', 1))\ni=max([1, -2])\nh=sorted('ba', reverse=True)",
    "dicts": "x=dict(a=1)\nx.update(b=2)\nx.update({'c': 3}, d=4)\ny=x.pop('a')\nz=x.get('q', 5)\n"
    "w=x.setdefault('e', [])\nw.append(1)\nv=dict(x, f=1)\nu={**x, 'b': 9}\nt=x | {'z': 1}\n"
    "s=list(x.items())\nr=x.copy()\nr['b']=0",
    "assertions": "x=[1]\nassert x, 'none'\nassert len(x) == 1 and not []\nif True:\n    assert x is not None\n",
    "a function and an entry of one name": "a=1\n\n\ndef a():\n    pass\n\n\na=2\n",
    "an entry that becomes a function": "b=1\na=1\n\n\ndef a():\n    pass\n",
    "annotation": "x: int = 5\ny = x",
    "main guard": "a=1\nif __name__ == '__main__':\n    a=2\n",
    "hidden names": "_x=1\n__y=2\nx=__y",
    "deprecation": "_deprecation_=dict(expected='x')\na=1",
    # bases
    "merge": ("_base_='b.py'\nmodel=dict(depth=4)", BASE),
    "delete": (
        (
            "_base_=['./b.py']\nmodel=dict(_delete_=True, depth=4, sub=dict(_delete_=True, z=1))\n"
            "new=dict(_delete_=True, z=1)"
        ),
        BASE,
    ),
    "delete not": ("_base_='b.py'\nmodel=dict(head=dict(_delete_=False, z=1))", BASE),
    "delete number": ("_base_='b.py'\nlr=dict(a=1, _delete_=True)", BASE),
    "replace": ("_base_='b.py'\nmodel=3", BASE),
    "attributes": (
        "_base_='b.py'\nx=_base_.model.head\nx.update(dict(y=dict(k=1)))\n_base_.model.head.z=5\n",
        BASE,
    ),
    "attributes that a base has": (
        (
            "_base_='b.py'\nm=_base_.model\n"
            "x=[hasattr(_base_, n) for n in ('model', 'nope', 'keys', 'pop')]\n"
            "if hasattr(m, 'head') and not hasattr(m.head, 'z'): m.head.z=getattr(m, 'depth')\n"
            "y=getattr(_base_, 'lr')\nz=getattr(m, 'none', [1])\nassert m.type == 'A', 'other'\n"
        ),
        BASE,
    ),
    "deep update": ("_base_='b.py'\n_base_.model.update(dict(head=dict(q=1)))\n", BASE),
    "base dicts": (
        (
            "_base_='b.py'\nmodel=_base_.model\nmodel.update(head=dict(q=1), type='Z')\n"
            "model['new']=[dict(a=1)]\nk=model.pop('nope')\n"
        ),
        BASE,
    ),
    "copies into bases": (
        (
            "_base_='b.py'\nl=[dict(a=1)]\n_base_.model.lst=l\nl.append(3)\nl[0]['a']=9\n"
            "m=_base_.model.lst\nm.append(dict(u=1))\nz=m[0].a"
        ),
        BASE,
    ),
    "del of bases": (
        "_base_='b.py'\ndel _base_.model.head\ndel _base_.model['lst'][0]\n_base_.pop('lr')",
        BASE,
    ),
    "base alias": ("_base_='b.py'\n_base_.other=_base_.model\nmodel=dict(depth=9)", BASE),
    "spread base": (
        (
            "_base_='b.py'\nx=dict(**_base_.model)\nx['head']['x']=7\ny={**_base_.model.head, 'x': 3}\n"
            "z=list(_base_.model)\nw=_base_.get('nope', 4)\nq=[v for k, v in _base_.model.items()]\n"
            "s='lr' in _base_\nu=_base_.model | dict(q=1)\nv=dict(q=1) | _base_.model\n"
            "_base_.model.merge(dict(head=dict(_delete_=True, n=1), o=dict(p=2)))"
        ),
        BASE,
    ),
    "placeholders": (
        (
            "_base_='b.py'\nx={{_base_.model.head}}\ny=[{{ _base_.lr }}, ({{_base_.t}},)]\n"
            "z=dict(a={{_base_.model}})"
        ),
        BASE,
    ),
    "file placeholders": "x='{{ fileBasename }}'\ny='{{fileBasenameNoExtension}}{{fileExtname}}'",
    "environment": "z='{{ $OPTPLAN_SEVEN:3 }}'\nw={{'$OPTPLAN_SEVEN:3'}}\nv='{{$OPTPLAN_NO:a/b.c}}'",
    "f-string of base": ("_base_='b.py'\nx=f'{_base_.name}-{_base_.lr:.3f}'", BASE),
    "two bases": ("_base_=['a.py', 'c.py']\nx=1", {"a.py": "y=1", "c.py": "z=2"}),
    "computed base": ("_base_='./a' + '.py'\nx=1", {"a.py": "y=1"}),
    "grand base": (
        "_base_='m/b.py'\nd=dict(e=_base_.c.d)",
        {"m/b.py": "_base_='../c.py'\na=1", "c.py": "c=dict(d=1)"},
    ),
    "yaml base": (
        "_base_='a.yaml'\nx=_base_.y",
        {
            "a.yaml": "y: 1e-3\nz: 1.0e-3\nw: [1, 2]\nd: 2020-01-01\nm: &m {a: 1}\nn: {<<: *m, b: 2}\n"
        },
    ),
    "json base": ("_base_='a.json'\nx=_base_.y", {"a.json": '{"y": [1, {"k": null}], "z": NaN}'}),
    "placeholders in json": (
        "_base_='a.json'",
        {
            "a.json": '{"_base_": "b.py", "x": {{_base_.model.head}}, "é": [{{ _base_.t }}]}',
            **BASE,
        },
    ),
    "placeholders in yaml": (
        "_base_='a.yaml'",
        {
            "a.yaml": "_base_: b.py\nx: {{_base_.model.head}}\ny: [{{ _base_.t }}]\n",
            **BASE,
        },
    ),
    "tuple as key": "x={(1, (2, 3)): 4}",
    "package base": "_base_='mmseg::_base_/schedules/schedule_20k.py'\n"
    "optim_wrapper=dict(clip_grad=None)",
    # pure-Python configs
    "pure": (
        READ
        + "from torch.optim import AdamW\noptim_wrapper.update(optimizer=dict(type=AdamW, lr=1))",
        PURE,
    ),
    "pure attributes": (
        READ + "optim_wrapper.optimizer.lr=3\npipe[0].update(dict(z=1))\npipe.append(dict(q=1))\n"
        "x=pipe[0].type",
        PURE,
    ),
    "pure merge": (
        (
            "from mmengine.config import read_base\nwith read_base():\n"
            "    from .base import optim_wrapper as ow, pipe\n    from .nn import *\n"
            "x=ow.optimizer\nx.merge(dict(lr=4))"
        ),
        PURE,
    ),
    "symbols": "import torch.nn as nn\nimport torch.optim\nfrom torch.optim import SGD as S\n"
    "a=dict(type=nn.Conv2d, o=torch.optim.SGD, s=S, l=[nn.ReLU], n=nn, t=torch, q=S.step)\nb=nn\nc=S\n",
    "rebound symbol": "from torch.optim import SGD\nSGD=5\nx=SGD",
    "no substitution": (
        READ + "x='{{fileBasename}}'\n_deprecation_=dict(a=1)\nif __file__: y=1",
        PURE,
    ),
    "symbol of a base": (READ + "from math import pi\ny=SGD\nz=dict(a=ReLU)", PURE),
    "relative import": ("from .base import optim_wrapper\nx=optim_wrapper\n", PURE),
}

# What Python can do and released configs do not.
NEEDS_TRUST = {
    "break": "for i in range(9):\n    if i > 3: break\n",
    "continue": "for i in range(9):\n    if i == 1: continue\n    x = i\n",
    "else of a loop": "for i in range(3): x = i\nelse: y = 1\n",
    "while": "x = 3\nwhile x: x -= 1\n",
    "try": "try: x = 1 / 0\nexcept ZeroDivisionError: x = 2\n",
    "lambda": "x = (lambda: 3)()\n",
    "assignment expression": "x = (y := 1)\n",
    "starred target": "a, *b = 1, 2, 3\n",
    "starred target of a loop": "for a, *b in [(1, 2)]: x = b\n",
    "several names deleted": "x = y = 1\nz = 2\ndel (x, y)\n",
    "bits": "x = 5 & 3\n",
    "bits of numbers": "x = 5 | 3\n",
    "exclusive bits": "x = 6 ^ 3\n",
    "inverted bits": "x = ~5\n",
    "sets united": "x = len({1} | {2})\n",
    "views united": "x = len({1: 2}.keys() | {3})\n",
    "complex numbers": "x = 1j * 2\n",
    "bytes": "x = b'a' + b'b'\n",
    "element of bytes": "x = b'ab'[1]\n",
    "list repeated in place": "x = [1]\nx *= 2\n",
    "key of max": "x = max([1, -2], key=abs)\n",
    "key of sorted": "x = sorted(['bb', 'a'], key=len)\n",
    "function of functions": "x = any([len])\ny = bool(len)\n",
    "method of a set": "x = {1}\nx.add(2)\n",
    "method of a list": "x = [2, 1]\nx.sort()\n",
    "method of a text": "x = '7'.zfill(3)\n",
    "method of a dict": "x = dict(a=1)\ny = x.popitem()\n",
    "method of a number": "x = 1.0.is_integer()\n",
    "format within a format": "x = '{:{}}'.format(3, 5)\n",
    "format of an element": "x = '{0[1]}'.format([1, 2])\n",
    "attribute of a value": "x = hasattr([], 'append')\n",
    "attribute of a plain dict": "x = getattr(dict(a=1), 'a', 7)\n",
    "other builtin": "x = pow(2, 3)\n",
    "own function": "def f(): return 1\nx = f()\n",
}

BOTH_FAIL = {
    "dict over number": ("_base_='b.py'\nlr=dict(a=1)", BASE, "'lr' is a dict here"),
    "plain dict attribute": (
        "x=dict(a=1)\nx.b=1",
        {},
        r"main.py:2:1: a plain dict has no attribute",
    ),
    "no such base entry": ("_base_='b.py'\nx=_base_.nam", BASE, "did you mean 'name'"),
    "no such placeholder": ("_base_='b.py'\nx={{_base_.nope}}", BASE, "has no 'nope'"),
    "unset variable": ("x='{{$OPTPLAN_NO:}}'", {}, "'OPTPLAN_NO' is not set"),
    "bare variable": ("x={{$OPTPLAN_SEVEN:3}}", {}, r"main.py:1:5: invalid syntax"),
    "two bases": (
        "_base_=['a.py', 'b.py']",
        {"a.py": "y=1", "b.py": "y=2"},
        r"two bases set 'y': .*a.py:1:1 and .*b.py:1:1",
    ),
    "tuple of bases": ("_base_=('a.py',)\nx=1", {"a.py": "y=1"}, "must be a path or a list"),
    "reserved": ("filename='x'", {}, "'filename' is reserved"),
    "generator": ("x=(i for i in [1])", {}, "'generator' is no data"),
    "view": ("x={'a': 1}.keys()", {}, "'dict_keys' is no data"),
    "repeated keyword": ("a=dict(x=1, x=2)", {}, "multiple values for keyword argument 'x'"),
    "break outside": ("break", {}, "'break' is not evaluated in a config"),
    "unknown package": ("_base_='mmrotate::a/b.py'", {}, "no installed package 'mmrotate'"),
    "unknown config": ("_base_='mmseg::nope/x.py'", {}, "has no config 'nope/x.py'"),
    "other with": ("with open('x') as f:\n    a=1", {}, "only 'with read_base"),
    "missing import": (READ.replace("*", "nope"), PURE, "'.base' has no 'nope'"),
    "missing module": (READ.replace(".base", ".nope"), PURE, "there is no such file"),
    "called symbol": ("from torch.optim import SGD\nx=SGD()", {}, "cannot call 'torch.optim.SGD'"),
    "mixed styles": ("_base_='base.py'", PURE, "use one style"),
    "mixed styles too": (
        "_base_='b.py'\nwith read_base():\n    from .b import *",
        BASE,
        "'with' block",
    ),
    "zero": ("x=1/0", {}, r"main.py:1:3: ZeroDivisionError"),
    "missing key": ("x=dict(alpha=1)['alhpa']", {}, "did you mean 'alpha'"),
    "json list": ("_base_='a.json'", {"a.json": "[1]"}, "a mapping of names"),
    "empty yaml": ("_base_='a.yaml'", {"a.yaml": ""}, "it is empty"),
}


def files_of(case: object) -> dict[str, str]:
    text, more = case if isinstance(case, tuple) else (case, {})
    return {"main.py": text, **more}


@pytest.fixture(autouse=True)
def environment(monkeypatch: Any) -> None:
    monkeypatch.setenv("OPTPLAN_SEVEN", "7")
    monkeypatch.delenv("OPTPLAN_NO", raising=False)


@pytest.mark.parametrize("trust", [False, True], ids=["evaluated", "executed"])
@pytest.mark.parametrize("name", BOTH_LOAD)
def test_loads_as_the_reference_does(
    name: Any, trust: Any, write: Any, reference: Any, same: Any
) -> None:
    path = write(files_of(BOTH_LOAD[name]))
    ours = load_config(path, trust=trust).to_dict()
    assert same(ours, reference(path)), ours


@pytest.mark.parametrize("name", NEEDS_TRUST)
def test_what_is_not_evaluated_names_the_option_that_executes(
    name: Any, write: Any, reference: Any
) -> None:
    path = write({"main.py": NEEDS_TRUST[name]})
    theirs = {key: value for key, value in reference(path).items() if not callable(value)}
    assert load_config(path, trust=True).to_dict() == theirs
    with pytest.raises(ConfigError, match=r"main\.py:\d+:\d+: .*--trust") as caught:
        load_config(path)
    (problem,) = caught.value.problems
    assert problem.place is not None
    assert problem.hint is not None


@pytest.mark.parametrize("name", BOTH_FAIL)
def test_refuses_what_the_reference_refuses(name: Any, write: Any, reference: Any) -> None:
    text, more, message = BOTH_FAIL[name]
    path = write({"main.py": text, **more})
    with pytest.raises(Exception):  # noqa: B017, PT011 - whatever it raises
        reference(path)
    with pytest.raises(ConfigError, match=message) as caught:
        load_config(path)
    assert len(caught.value.problems) == 1
    assert caught.value.problems[0].place is not None


def test_standard_library_imports_are_plain(write: Any) -> None:
    path = write(
        {
            "main.py": "import copy\nimport os.path as osp\nfrom math import pi, floor\n"
            "from collections import OrderedDict\nfrom copy import deepcopy\n"
            "x=copy.deepcopy([1])\ny=osp.join('a', 'b')\nz=floor(pi)\nw=deepcopy(OrderedDict(a=1))\n"
            "del OrderedDict, floor"
        }
    )
    expected = {"pi": 3.141592653589793, "x": [1], "y": "a/b", "z": 3, "w": {"a": 1}}
    assert load_config(path).to_dict() == expected


def test_a_placeholder_inside_a_text_is_refused(write: Any) -> None:
    # The reference leaves a random word there.
    path = write({"main.py": "_base_='b.py'\nx='{{_base_.lr}}/a'\n", **BASE})
    with pytest.raises(ConfigError, match=r"main.py:2:1: .*must be a whole value"):
        load_config(path)


CLASSES = {
    "functions": "import math\n\n\ndef f(x, y=math.pi, *, z=2):\n    return undefined(x)\n\n\n"
    "async def g():\n    await f\n\n\nlr = 0.1\n",
    "plain": "class A:\n    pass\n\n\nlr = 0.1\n",
    "of a standard base": "class A(dict):\n    'A text.'\n\n    x: int = 3\n    y = [1]\n\n"
    "    def f(self, z=2):\n        return z\n\n    class Inner:\n        pass\n\n\nlr = 0.1\n",
}


@pytest.mark.parametrize("name", CLASSES)
def test_classes_are_no_entries(name: str, write: Any, reference: Any) -> None:
    """The reference keeps the class, and some functions, as an entry, which no data has."""
    path = write({"a.py": CLASSES[name]})
    theirs = {k: v for k, v in reference(path).items() if not callable(v)}
    assert load_config(path).to_dict() == theirs == {"lr": 0.1}


USED = "of the config's own, which is not run"
FUNCTION = "a function definition is not evaluated in a config"
CLASS = "a class definition is not evaluated in a config"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("def f():\n    return 1\n\n\nlr = f()\n", f"5:6 'f' is a function {USED}"),
        ("class A:\n    x = 1\n\n\nmodel = dict(type=A)\n", f"5:19 'A' is a class {USED}"),
        ("class A:\n    x = 1\n\n\nlr = A.x\n", f"5:6 'A' is a class {USED}"),
        ("def f(): pass\nx = [1]\nx.append(f)\n", f"3:10 'f' is a function {USED}"),
        ("def dict(**kw): return 1\nlr = dict(a=1)\n", f"2:6 'dict' is a function {USED}"),
        # what making it would change
        ("x = [1]\ndef f(y=x.pop()): pass\n", f"2:1 {FUNCTION}"),
        ("x = [1]\n@x.append\ndef f(): pass\n", f"3:1 {FUNCTION}"),
        ("x = {}\nclass A:\n    y = x.update(a=1)\n", f"2:1 {CLASS}"),
        ("x = {}\nclass A:\n    x['a'] = 1\n", f"2:1 {CLASS}"),
        ("class A:\n    for i in 'a': pass\n", f"1:1 {CLASS}"),
        ("class A:\n    y = (z := 1)\n", f"1:1 {CLASS}"),
        ("import math\nx = math.gcd(4, 6)\n", "2:5 'math.gcd' is not available to a config"),
        ("import re\nx = re.sub('a', 'b', 'a')\n", "2:5 're.sub' is not available to a config"),
        ("assert 1 > 2, f'no: {3}'\n", "1:1 AssertionError: no: 3"),
        ("assert []\n", "1:1 AssertionError"),
    ],
)  # fmt: skip
def test_definitions_are_refused_where_they_are_used(text: str, message: str, write: Any) -> None:
    with pytest.raises(ConfigError) as caught:
        load_config(write({"a.py": text}))
    (problem,) = caught.value.problems
    assert problem.place is not None
    assert f"{problem.place.line}:{problem.place.column} {problem.message}" == message
