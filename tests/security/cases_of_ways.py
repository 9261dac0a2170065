"""Further ways to something that runs, reads, writes or fetches: of the standard library and of other packages."""

from __future__ import annotations

import json

from tests.security.cases import SGD, Case, harmful_pickle, python_code

_TEXT = "__import__('os').mkdir('{token}')"
_SHELL = "mkdir {token}"
_URL = "http://{token}.invalid/a"

# By a name: what a type means, and its arguments. Each is tried as the model, and as a part of one.
TYPES: dict[str, tuple[str, dict[str, object]]] = {
    "timeit": ("timeit.timeit", {"stmt": _TEXT, "number": 1}),
    "profile": ("cProfile.run", {"statement": _TEXT}),
    "debugger": ("pdb.run", {"statement": _TEXT}),
    "console": ("code.InteractiveInterpreter", {"locals": None}),
    "doctest": ("doctest.debug_src", {"src": f">>> {_TEXT}"}),
    "logging_factory": (
        "logging.config.dictConfig",
        {"config": {"version": 1, "handlers": {"a": {"()": "os.mkdir", "path": "{token}"}}}},
    ),
    "log_file": ("logging.FileHandler", {"filename": "{token}"}),
    "socket_log": ("logging.handlers.SocketHandler", {"host": "{token}.invalid", "port": 9}),
    "system_log": ("logging.handlers.SysLogHandler", {"address": ["{token}.invalid", 9]}),
    "shelf": ("shelve.open", {"filename": "{token}"}),
    "database_file": ("dbm.dumb.open", {"file": "{token}", "flag": "c"}),
    "archive": ("tarfile.TarFile", {"name": "{token}", "mode": "w"}),
    "zip_file": ("zipfile.ZipFile", {"file": "{token}", "mode": "w"}),
    "temporary": ("tempfile.NamedTemporaryFile", {"dir": ".", "prefix": "{token}"}),
    "retrieve": ("urllib.request.urlretrieve", {"url": _URL}),
    "mail": ("smtplib.SMTP", {"host": "{token}.invalid"}),
    "ftp": ("ftplib.FTP", {"host": "{token}.invalid"}),
    "server": ("socketserver.TCPServer", {"server_address": ["127.0.0.1", 0]}),
    "pool": ("multiprocessing.Pool", {"processes": 1}),
    "process": ("multiprocessing.Process", {"name": "{token}"}),
    "executor": ("concurrent.futures.ProcessPoolExecutor", {"max_workers": 1}),
    "resolve": ("pkgutil.resolve_name", {"name": "os:system"}),
    "site_folder": ("site.addsitedir", {"sitedir": "ways"}),
    "zip_importer": ("zipimport.zipimporter", {"path": "ways.zip"}),
    "source_loader": ("importlib.machinery.SourceFileLoader", {"fullname": "a", "path": "evil.py"}),
    "extension_loader": (
        "importlib.machinery.ExtensionFileLoader",
        {"name": "a", "path": "{token}.so"},
    ),
    "library": ("ctypes.PyDLL", {"name": "{token}.so"}),
    "remove_tree": ("shutil.rmtree", {"path": "."}),
    "copy": ("shutil.copyfile", {"src": "good_0.py", "dst": "{token}"}),
    "yaml": ("yaml.unsafe_load", {"stream": f"!!python/object/apply:os.system ['{_SHELL}']"}),
    "config_file": ("mmengine.config.Config.fromfile", {"filename": "evil.py"}),
    "config_text": (
        "mmengine.config.Config.fromstring",
        {"cfg_str": _TEXT, "file_format": ".py"},
    ),
    "config_dump": ("mmengine.config.Config.dump", {"file": "{token}"}),
    "import_strings": (
        "mmengine.utils.import_modules_from_strings",
        {"imports": ["evil", "q7x_beside"]},
    ),
    "object_of_string": (
        "mmengine.registry.utils.get_object_from_string",
        {"obj_name": "os.system"},
    ),
    "file_of_url": ("mmengine.fileio.get", {"filepath": _URL}),
    "pickle_file": ("mmengine.fileio.load", {"file": "ways.pkl", "file_format": "pkl"}),
    "checkpoint_loader": (
        "mmengine.runner.load_checkpoint",
        {"model": None, "filename": "ways.pth"},
    ),
    "backend": ("mmengine.fileio.HTTPBackend", {}),
    "lmdb": ("mmengine.fileio.LmdbBackend", {"db_path": "{token}"}),
    "visualizer": ("mmengine.visualization.LocalVisBackend", {"save_dir": "{token}"}),
    "logger": ("mmengine.logging.MMLogger", {"name": "a", "log_file": "{token}/a.log"}),
    "runner": ("mmengine.runner.Runner", {"model": {}, "work_dir": "{token}"}),
    "store": ("torch.distributed.FileStore", {"file_name": "{token}", "world_size": 1}),
    "hash_store": ("torch.distributed.TCPStore", {"host_name": "{token}.invalid", "port": 9}),
    "process_group": (
        "torch.distributed.init_process_group",
        {"init_method": "file://{project}/{token}", "rank": 0, "world_size": 1},
    ),
    "summary": ("torch.utils.tensorboard.SummaryWriter", {"log_dir": "{token}"}),
    "extension": (
        "torch.utils.cpp_extension.load",
        {"name": "x", "sources": ["{token}.cpp"]},
    ),
    "torch_library": ("torch.classes.load_library", {"path": "{token}.so"}),
    "torch_package": ("torch.package.PackageImporter", {"file_or_buffer": "ways.pth"}),
    "torch_exporter": ("torch.package.PackageExporter", {"f": "{token}"}),
    "storage": (
        "torch.UntypedStorage.from_file",
        {"filename": "{token}", "shared": True, "nbytes": 8},
    ),
    "mapped": ("torch.from_file", {"filename": "{token}", "shared": True, "size": 8}),
    "script": ("torch.jit.ScriptModule.load", {"f": "ways.pth"}),
    "compiled": ("torch._inductor.aoti_load_package", {"path": "ways.pth"}),
    "data_set": ("torchvision.datasets.MNIST", {"root": "{token}", "download": True}),
    "video": ("torchvision.io.VideoReader", {"src": "{outside}/q7x_key"}),
    "picture": ("torchvision.io.write_file", {"filename": "{token}", "data": None}),
    "memory_map": ("numpy.memmap", {"filename": "{token}", "mode": "w+", "shape": [1]}),
    "numbers": ("numpy.fromfile", {"file": "{outside}/q7x_key"}),
    "numbers_of_text": ("numpy.loadtxt", {"fname": _URL}),
    "capture": ("cv2.VideoWriter", {"filename": "{token}.avi"}),
    "storage_of_cv": ("cv2.FileStorage", {"filename": "{token}.yml", "flags": 1}),
    "show_picture": ("PIL.Image.open", {"fp": "{outside}/q7x_key"}),
    "hub_download": ("huggingface_hub.snapshot_download", {"repo_id": "{token}/x"}),
    "hub_mixin": ("huggingface_hub.PyTorchModelHubMixin", {}),
    "hub_class": ("huggingface_hub.PyTorchModelHubMixin.from_pretrained", {}),
    "timm_hub": ("timm.models.load_model_config_from_hf", {"model_id": "{token}/x"}),
    "timm_state": (
        "timm.models.load_state_dict",
        {"checkpoint_path": "ways.pth", "weights_only": False},
    ),
    "request": ("requests.get", {"url": _URL}),
    "command_of_click": ("click.edit", {"text": "{token}"}),
    "launch": ("click.launch", {"url": _URL}),
    "lambdify": ("sympy.lambdify", {"args": [], "expr": _TEXT}),
    "sympify": ("sympy.sympify", {"a": _TEXT}),
    "template": ("jinja2.Template", {"source": "{{% for x in [].__class__ %}}{{% endfor %}}"}),
    "program": ("pip._internal.main", {"args": ["download", "{token}"]}),
    "setup": ("setuptools.setup", {"name": "{token}", "script_args": ["sdist"]}),
    "sub_interpreter": ("concurrent.futures.InterpreterPoolExecutor", {}),
}
# Spellings of names that must not lead anywhere else than where they seem to.
SPELLINGS = (
    *(
        "os..system",
        ".os.system",
        "os.system.",
        ":os.system",
        "os.system:",
        "os::system",
        "os/system",
    ),
    *(
        "оs.system",
        "𝐨𝐬.system",
        "os．system",
        "os.system\u200b",
        " os.system",
        "os.system\n",
        "os\0.system",
    ),
    *(
        "dangerous_nets..nets.Evaluates",
        "dangerous_nets.nets.os.system",
        "dangerous_nets.nets:os.system",
    ),
    *("dangerous_nets.nets.Evaluates.__init__", "dangerous_nets.nets.Net.__subclasses__"),
    *("dangerous_nets.nets.importlib.import_module", "dangerous_nets.nets.runpy.run_path"),
    *(
        "torch.nn.Linear.__class__",
        "torch.nn.Module.register_forward_hook",
        "torch.nn.Module.__init_subclass__",
    ),
    *(
        "torch.optim.optimizer.os.system",
        "torch.optim.os.system",
        "timm.optim.os.system",
        "optplan.os.system",
    ),
    *(
        "optplan.runtime.audit.os.system",
        "optplan.cli.main",
        "mmengine.optim.os.system",
        "__main__.main",
    ),
    *(
        "timm:timm:os:system",
        "timm:../evil",
        "timm:evil.py",
        "sys.modules.os.system",
        "sitecustomize.Net",
    ),
    *(
        "conftest.Net",
        "ways.Net",
        "ways.inner.Net",
        "evil",
        "pip",
        "torch",
        "torch.nn",
        "1",
        "",
        ".",
    ),
)


def _typed(kind: str, arguments: dict[str, object]) -> str:
    return repr({"type": kind, **arguments})


def _top(name: str, kind: str, arguments: dict[str, object]) -> Case:
    text = f"model = {_typed(kind, arguments)}\n{SGD}"
    return Case(name=f"way_{name}", text=text, says=kind.rpartition(".")[2] or kind)


def _part(name: str, kind: str, arguments: dict[str, object]) -> Case:
    text = f"model = dict(type='dangerous_nets.nested.Nested', children=[{_typed(kind, arguments)}])\n{SGD}"
    return Case(name=f"part_{name}", text=text, says=kind.rpartition(".")[2])


def _spelled(number: int, kind: str) -> Case:
    arguments: dict[str, object] = {"command": _SHELL, "text": _TEXT}
    return Case(
        name=f"spelling_{number}",
        text=f"model = {_typed(kind, arguments)}\n{SGD}",
        says=("model", "nn.Module class"),
    )


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
        _form(f"base_{number}", f"_base_ = [{base!r}]\n{SGD}", ".py", ("base", "config"))
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
TOP = tuple(_top(name, *typed) for name, typed in TYPES.items())
PARTS = tuple(_part(name, *typed) for name, typed in TYPES.items())
SPELLED = tuple(_spelled(number, kind) for number, kind in enumerate(SPELLINGS))
