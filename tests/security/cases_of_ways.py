"""Further ways to something that runs, reads, writes or fetches: of the standard library and of other packages."""

from __future__ import annotations

import json

from tests.security.cases import SGD, Case, harmful_pickle, python_code

_TEXT = "__import__('os').mkdir('{token}')"
_SHELL = "mkdir {token}"


def _imports(name: str, *modules: str) -> Case:
    text = f"custom_imports = dict(imports={list(modules)!r})\nmodel = dict(type='dangerous_nets.nets.Fine')\n{SGD}"
    return Case(name=f"ways_import_{name}", text=text, says="custom_imports")


IMPORTS = (
    _imports("site", "site"),
    _imports("conftest", "conftest"),
    _imports("customize", "sitecustomize_of_ways", "usercustomize"),
    _imports("namespace", "ways", "ways.inner"),
    _imports("path", "ways/inner", "./evil.py", "..evil", "/evil"),
    _imports("empty", "", ".", " "),
    _imports("zip", "ways.zip", "ways.zip/evil"),
    _imports("own", "optplan.cli.app", "optplan.__main__"),
    _imports("game", "this", "turtledemo", "idlelib.idle"),
    _imports("installer", "pip._internal.cli.main", "ensurepip.__main__", "venv.__main__"),
    _imports("console", "code", "pdb", "pty"),
    _imports("torch", "torch.optim.evil", "torch.distributed.run", "torch.utils.collect_env"),
)
_TITAN = """\
[job]
custom_config_module = "evil"
[experimental]
custom_import = "evil"
custom_args_module = "evil"
[model]
name = "os.system"
converters = ["evil"]
[optimizer]
name = "os.system"
lr = 0.1
command = "mkdir {token}"
"""
_FAIRSEQ = """\
model: {name: "os.system", command: "mkdir {token}", _type_: "os.system", _target_: "os.system"}
optimizer: {name: "os.system", config: {_target_: "os.system", command: "mkdir {token}", lr: 0.1}}
"""
_RECIPE = "opt: sgd\nlr: 0.1\nweight_decay: 0.1\nmomentum: 0.9\nsched: cosine\nepochs: 10\n"


def _form(
    name: str, text: str, suffix: str, says: str | tuple[str, ...], **files: str | bytes
) -> Case:
    return Case(
        name=f"form_{name}",
        text=text,
        says=says,
        suffix=suffix,
        files={key.replace("__", "."): value for key, value in files.items()},
    )


_PATHS = (
    *(
        "rename_out",
        "link_out",
        "map",
        "map_tensor",
        "picture",
        "picture_of_cv",
        "video",
        "script",
        "trace",
    ),
    *(
        "file_store",
        "group",
        "safe",
        "numbers",
        "crash_log",
        "dump_memory",
        "later",
        "replaced",
        "collected",
    ),
    *("pipe", "descriptor", "dict_config", "state", "core"),
)
_DOES = {
    **dict.fromkeys(_PATHS, "{token}"),
    **dict.fromkeys(("interpreter", "annotation", "timeit", "sympify"), _TEXT),
    **dict.fromkeys(("resolve", "yaml"), _SHELL),
    **dict.fromkeys(("load_script", "read_safe", "read_of_cv"), "{outside}/q7x_key"),
    "tuple": "b='{token}'",
    "template": "{{{{ '{token}' }}}}",
    "shared_memory": "{token}",
    "store": "127.0.0.1",
    "hub": ".",
}


def _does(how: str, what: str) -> Case:
    text = f"model = dict(type='dangerous_nets.ways.Does', how={how!r}, what={what!r})\n{SGD}"
    return Case(name=f"does_{how}", text=text, says=("Does", "was not let"))


DOES = (
    *(_does(how, what) for how, what in _DOES.items()),
    Case(
        name="does_in_optimizer",
        text=f"model = dict(type='dangerous_nets.ways.WritesInOptimizer', path='{{token}}')\n{SGD}",
        says="SGD",
    ),
)
FORMS = (
    _form("titan", _TITAN, ".toml", "os.system"),
    _form("fairseq", _FAIRSEQ, ".yaml", "os.system"),
    _form(
        "sched", f"{_RECIPE.replace('cosine', 'os.system')}model: resnet10t\n", ".yaml", "os.system"
    ),
    _form("opt", f"{_RECIPE.replace('sgd', 'evil')}model: resnet10t\n", ".yaml", "evil"),
    _form(
        "optimizer",
        f"{_RECIPE.replace('opt: sgd', 'opt: timm.optim.os.system')}model: resnet10t\n",
        ".yaml",
        "system",
    ),
    _form(
        "pretrained",
        f"{_RECIPE}model: resnet10t\nmodel_kwargs: {{pretrained: true}}\n",
        ".yaml",
        "pretrained",
    ),
    _form(
        "overlay",
        f"{_RECIPE}model: resnet10t\nmodel_kwargs: {{pretrained_cfg: {{file: /q7x_x}}}}\n",
        ".yaml",
        "",
    ),
    _form(
        "scripted",
        f"{_RECIPE}model: resnet10t\nmodel_kwargs: {{scriptable: true, act_layer: 'os.system'}}\n",
        ".yaml",
        "",
    ),
    _form(
        "lazy",
        "from mmengine.config import read_base\nwith read_base():\n    from .evil import *\n" + SGD,
        ".py",
        "os.mkdir",
    ),
    _form(
        "lazy_up",
        "from mmengine.config import read_base\nwith read_base():\n    from ..outside.evil import *\n"
        + SGD,
        ".py",
        "os.mkdir",
    ),
    _form(
        "alias",
        "import os as torch\nmodel = dict(type=torch.system, command='mkdir {token}')\n" + SGD,
        ".py",
        "system",
    ),
    _form(
        "lambda",
        "model = dict(type=lambda: __import__('os').mkdir('{token}'))\n" + SGD,
        ".py",
        "lambda",
    ),
    _form(
        "decorated",
        "def f(x): return x\n@f\nclass A: pass\nmodel = dict(type=A)\n" + SGD,
        ".py",
        "",
    ),
    _form("format", "model = dict(type='{{0.__class__}}'.format('{token}'))\n" + SGD, ".py", ""),
    *(
        _form(
            f"base_{number}",
            f"_base_ = [{base!r}]\n{SGD}",
            ".py",
            ("base", "config", "no installed package"),
        )
        for number, base in enumerate(
            (
                *(
                    "http://{token}.invalid/a.py",
                    "file://{outside}/q7x_key",
                    "/proc/self/environ",
                    "/dev/stdin",
                ),
                *(
                    "~/.netrc",
                    "dangerous_nets::../nets.py",
                    "ways.zip/evil.py",
                    "ways.pipe",
                    "ways",
                    "{{{{$HOME}}}}/a.py",
                ),
                *(
                    "dangerous_nets::nets.py",
                    "HEAD:evil.py",
                    "evil.py:Net",
                    "package::/etc/passwd",
                    "\\\\host\\a.py",
                ),
            )
        )
    ),
    _form(
        "json_base",
        json.dumps({"_base_": "http://{token}.invalid/a.json", "optimizer": {"type": "SGD"}}),
        ".json",
        "base",
    ),
)
FILES: dict[str, str | bytes] = {
    "ways.pkl": harmful_pickle("ways_pickle"),
    "ways.pth": harmful_pickle("ways_checkpoint"),
    "ways.zip": b"PK\x05\x06" + b"\0" * 18,
    "ways/evil.pth": "import os; os.mkdir('q7x_ways_pth')\n",
    "ways/inner.py": python_code("ways_inner"),
    "conftest.py": python_code("ways_conftest"),
    "sitecustomize.py": python_code("ways_sitecustomize"),
    "usercustomize.py": python_code("ways_usercustomize"),
    "evil.pth": "import os; os.mkdir('q7x_ways_pth')\n",
    "setup.py": python_code("ways_setup"),
    "hubconf.py": python_code("ways_hubconf"),
    "__main__.py": python_code("ways_main"),
    "__init__.py": python_code("ways_init"),
    "outside/evil.py": python_code("ways_outside"),
    "loop": "-> {project}",
    "up": "-> {outside}",
}
