"""Types that are no models, of the standard library and of other packages, and spellings of names."""

from __future__ import annotations

from tests.security.cases import SGD, Case

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
        says=("model", "nn.Module class", "is a program"),
    )


TOP = tuple(_top(name, *typed) for name, typed in TYPES.items())
PARTS = tuple(_part(name, *typed) for name, typed in TYPES.items())
SPELLED = tuple(_spelled(number, kind) for number, kind in enumerate(SPELLINGS))
