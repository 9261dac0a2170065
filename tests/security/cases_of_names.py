"""Names that a config must not have called or imported, in every place that takes one."""

from __future__ import annotations

from dataclasses import replace

from tests.security.cases import SGD, Case, harmful_pickle, python_code

ARGUMENT = "'mkdir {token}'"


def model(name: str, kind: str, arguments: str = "", **files: str | bytes) -> Case:
    """Return the case of a model's type."""
    return Case(
        name=name,
        text=f"model = dict(type={kind!r}, {arguments})\n{SGD}",
        says=kind.rpartition(".")[2].rpartition(":")[2],
        files={key.replace("__", "."): value for key, value in files.items()},
    )


def symbol(name: str, line: str, kind: str, arguments: str = "") -> Case:
    """Return the case of an imported symbol."""
    return Case(name=name, text=f"{line}\nmodel = dict(type={kind}, {arguments})\n{SGD}", says=kind)


def wrapper(name: str, entries: str, says: str | tuple[str, ...], before: str = "") -> Case:
    """Return the case of something in the optimizer's section."""
    text = f"{before}\nmodel = dict(type='dangerous_nets.nets.Fine')\noptim_wrapper = dict({entries})\n"
    return Case(name=name, text=text, says=says)


def scheduler(name: str, entries: str, says: str | tuple[str, ...], before: str = "") -> Case:
    """Return the case of a scheduler."""
    text = (
        f"{before}\nmodel = dict(type='dangerous_nets.nets.Fine')\n{SGD}"
        f"param_scheduler = [dict({entries})]\ntrain_cfg = dict(by_epoch=False, max_iters=100)\n"
    )
    return Case(name=name, text=text, says=says)


_SGD = "optimizer=dict(type='SGD', lr=0.1)"
_EVAL = "text=\"__import__('os').mkdir('{token}')\""

CALLABLES = (
    model("os_system", "os.system", f"command={ARGUMENT}"),
    model("torch_os_system", "torch.os.system", f"command={ARGUMENT}"),
    model("deep_os_system", "torch.nn.modules.module.torch.os.system", f"command={ARGUMENT}"),
    model("colon", "os:system", f"command={ARGUMENT}"),
    model("posix_system", "posix.system", f"command={ARGUMENT}"),
    model("popen_class", "subprocess.Popen", f"args={ARGUMENT}, shell=True"),
    model("builtins_eval", "builtins.eval", _EVAL),
    model("builtins_exec", "builtins.exec", _EVAL),
    model("builtins_open", "builtins.open", "file='{token}', mode='w'"),
    model("builtins_print", "builtins.print", "sep='{token}'"),
    model("io_open", "io.open", "file='{token}', mode='w'"),
    model("path_touch", "pathlib.Path.touch", ""),
    model("partial", "functools.partial", "func='os.system'"),
    model("attrgetter", "operator.attrgetter", "attr='__class__'"),
    model("methodcaller", "operator.methodcaller", "name='mkdir'"),
    model("function_type", "types.FunctionType", "code='1'"),
    model("cdll", "ctypes.CDLL", "name='{token}.so'"),
    model("run_path_name", "runpy.run_path", "path_name='evil.py'"),
    model("import_module", "importlib.import_module", "name='evil'"),
    model("pickle_loads", "pickle.loads", "data=b'x'"),
    model("numpy_load_name", "numpy.load", "file='a.npy', allow_pickle=True"),
    model("torch_load_name", "torch.load", "f='a.pth', weights_only=False"),
    model("hub_load", "torch.hub.load", "repo_or_dir='.', model='net', source='local'"),
    model("hub_state", "torch.hub.load_state_dict_from_url", "url='http://{token}.invalid'"),
    model("jit_load", "torch.jit.load", "f='a.pt'"),
    model("inline", "torch.utils.cpp_extension.load_inline", "name='x', cpp_sources=''"),
    model("f2py", "numpy.f2py.compile", "source=''"),
    model("fileio_load", "mmengine.fileio.load", "file='a.pkl'"),
    model("fileio_get", "mmengine.fileio.get_text", "filepath='{outside}/q7x_key'"),
    model("config_fromfile", "mmengine.Config.fromfile", "filename='evil.py'"),
    model("mmengine_hub", "mmengine.hub.get_model", "cfg_path='x'"),
    model("timm_create", "timm.create_model", "model_name='hf_hub:{token}/x'"),
    model("timm_checkpoint", "timm.models.load_checkpoint", "checkpoint_path='a.pth'"),
    model("torchvision_weights", "torchvision.models.resnet18", "weights='IMAGENET1K_V1'"),
    model("torchvision_get", "torchvision.models.get_model", "name='resnet18', weights='DEFAULT'"),
    model("browser", "webbrowser.open", "url='http://{token}.invalid'"),
    model("antigravity", "antigravity.webbrowser.open", "url='http://{token}.invalid'"),
    model("timer", "threading.Timer", "interval=0, function='os.system'"),
    model("dunder", "torch.nn.Linear.__init__.__globals__", ""),
    model("subclasses", "builtins.object.__subclasses__", ""),
    model("loose", "loose_nets.Evaluates", _EVAL),
    model("beside", "beside_name.Net", "", beside_name__py=python_code("beside")),
    model(
        "package_beside",
        "beside_package.nets.Net",
        "",
        **{
            "beside_package/__init____py": python_code("package_beside"),
            "beside_package/nets__py": python_code("package_beside"),
        },
    ),
    model("relative", "..outside_net.Net", ""),
    model(
        "timm_file",
        "timm:/evil_timm.py:Net",
        "",
        **{"timm:/evil_timm__py": python_code("timm_file")},
    ),
    model("timm_module", "timm:evil_timm:Net", "", evil_timm__py=python_code("timm_module")),
    model("timm_attribute", "timm:os:system", f"command={ARGUMENT}"),
    model("timm_hub", "timm:hf_hub:{token}/net", ""),
    model("timm_local", "timm:local-dir:/{token}", ""),
    model("file", "evil_file.py:Net", "", evil_file__py=python_code("file")),
    model("timm_pretrained", "timm:resnet18", "pretrained=True"),
    model(
        "timm_checkpoint_path",
        "timm:resnet18",
        "pretrained=True, pretrained_cfg_overlay=dict(file='a_timm.pth')",
        a_timm__pth=harmful_pickle("timm_checkpoint_path"),
    ),
)
SYMBOLS = (
    symbol("deepcopy", "from copy import deepcopy", "deepcopy", "x=1"),
    symbol("sum", "x = 1", "sum", "iterable=[1]"),
    symbol("print_symbol", "x = 1", "print", "sep='{token}'"),
    symbol("eval_symbol", "x = 1", "eval", _EVAL),
    symbol("exec_symbol", "x = 1", "exec", _EVAL),
    symbol("open_symbol", "x = 1", "open", "file='{token}', mode='w'"),
    replace(
        symbol("getattr_symbol", "import os", "getattr", "o=os, name='system'"),
        says="a value of type 'Module' is no data",
    ),
    symbol("system_symbol", "from os import system", "system", f"command={ARGUMENT}"),
    symbol("attribute_symbol", "import os", "os.system", f"command={ARGUMENT}"),
    symbol("beside_symbol", "from beside_symbol import Net", "Net"),
    symbol("relative_symbol", "from .beside_symbol import Net", "Net"),
    replace(
        symbol(
            "symbol_as_argument",
            "from os import system",
            "dict(type='torch.nn.Sequential', f=system)",
        ),
        says="'os.system' is not available",
    ),
)
NESTED = tuple(
    Case(
        name=name,
        text=f"{before}\nmodel = dict(type='dangerous_nets.nested.Nested', {entries})\n{SGD}",
        says=says,
    )
    for name, before, entries, says in (
        (
            "child",
            "",
            f"children=[dict(type='dangerous_nets.nets.Evaluates', {_EVAL})]",
            ("Evaluates", "dangerous_nets.nets"),
        ),
        ("child_system", "", f"children=[dict(type='os.system', command={ARGUMENT})]", "system"),
        (
            "grandchild",
            "",
            "children=[dict(type='dangerous_nets.nested.Nested', children=(dict("
            f"type='dangerous_nets.nets.Executes', {_EVAL}),))]",
            ("Executes", "dangerous_nets.nets"),
        ),
        ("child_scope", "", "children=[dict(type='Net', _scope_='beside_scope')]", "Net"),
        ("child_symbol", "from os import system", "children=[dict(type=system)]", "system"),
        (
            "preprocessor",
            "",
            f"children=[], data_preprocessor=dict(type='dangerous_nets.nets.Shells', command={ARGUMENT})",
            "os.system",
        ),
        (
            "outer_preprocessor",
            f"data_preprocessor = dict(type='dangerous_nets.nets.PipesShell', command={ARGUMENT})",
            "children=[]",
            "subprocess.Popen",
        ),
        (
            "init_of_child",
            "",
            "children=[dict(type='dangerous_nets.nested.Nested', children=[], "
            f"init_cfg=dict(type='os.system', command={ARGUMENT}))]",
            "has no parameters",
        ),
    )
)
OPTIMIZERS = (
    wrapper(
        "optimizer_eval",
        f"optimizer=dict(type='dangerous_nets.optim.EvaluatingSGD', lr=0.1, {_EVAL})",
        "EvaluatingSGD",
    ),
    wrapper(
        "optimizer_late",
        f"optimizer=dict(type='dangerous_nets.optim.LateSGD', lr=0.1, command={ARGUMENT})",
        "LateSGD",
    ),
    wrapper("optimizer_system", f"optimizer=dict(type='os.system', command={ARGUMENT})", "system"),
    wrapper(
        "optimizer_symbol",
        f"optimizer=dict(type=system, command={ARGUMENT})",
        "system",
        "from os import system",
    ),
    wrapper(
        "optimizer_beside",
        "optimizer=dict(type='beside_optimizer.Net', lr=0.1)",
        "beside_optimizer",
    ),
    wrapper(
        "optimizer_zero",
        "optimizer=dict(type='ZeroRedundancyOptimizer', optimizer_type='os.system', lr=0.1)",
        ("os.system", "ZeroRedundancyOptimizer"),
    ),
    wrapper(
        "optimizer_timm",
        "optimizer=dict(type='timm:evil_timm_optimizer.py:Net', lr=0.1)",
        "evil_timm_optimizer",
    ),
    wrapper(
        "wrapper_eval",
        f"type='dangerous_nets.nested.EvaluatingWrapper', {_SGD}, {_EVAL}",
        "EvaluatingWrapper",
    ),
    wrapper("wrapper_system", f"type='os.system', command={ARGUMENT}, {_SGD}", "system"),
    wrapper(
        "constructor_eval",
        f"{_SGD}, constructor='dangerous_nets.optim.EvaluatingConstructor', paramwise_cfg=dict({_EVAL})",
        "EvaluatingConstructor",
    ),
    wrapper(
        "constructor_shell",
        f"{_SGD}, constructor='dangerous_nets.optim.ShellingConstructor', paramwise_cfg=dict(command={ARGUMENT})",
        "ShellingConstructor",
    ),
    wrapper("constructor_exec", f"{_SGD}, constructor='builtins.exec'", "exec"),
    wrapper(
        "constructor_beside", f"{_SGD}, constructor='beside_constructor.Net'", "beside_constructor"
    ),
    wrapper(
        "scope_beside",
        f"{_SGD}, constructor='Mine'",
        ("beside_scope", "Mine"),
        "default_scope = 'beside_scope'",
    ),
    scheduler(
        "scheduler_eval",
        f"type='dangerous_nets.optim.EvaluatingLR', {_EVAL}",
        ("EvaluatingLR", "was not let execute text"),
    ),
    scheduler(
        "scheduler_step",
        f"type='dangerous_nets.optim.SteppingLR', command={ARGUMENT}",
        "SteppingLR",
    ),
    scheduler("scheduler_system", f"type='os.system', command={ARGUMENT}", "system"),
    scheduler("scheduler_beside", "type='beside_scheduler.Net'", "beside_scheduler"),
    scheduler(
        "scheduler_lambda",
        "type='torch:LambdaLR', lr_lambda=system",
        ("LambdaLR", "system"),
        "from os import system",
    ),
)
# Modules that do something when they are imported, for what `custom_imports` and types cause.
IMPORTS = tuple(
    Case(
        name=f"import_{module}",
        text=f"custom_imports = dict(imports=['dangerous_nets.{module}'])\n"
        f"model = dict(type='dangerous_nets.nets.Fine')\n{SGD}",
        says=(f"dangerous_nets.{module}", "was not let change files"),
    )
    for module in (
        "looks_up",
        "looks_up_low",
        "shells",
        "starts",
        "writes",
        "starts_thread",
        "sends",
    )
)
IMPORTS_ALONE = tuple(
    Case(
        name=f"import_{module.strip('_').replace('.', '_')}",
        text=f"custom_imports = dict(imports=[{name!r}])\nmodel = dict(type='dangerous_nets.nets.Fine')\n{SGD}",
        says=says,
    )
    for module, name, says in (
        ("exits", "dangerous_nets.exits", "dangerous_nets.exits"),
        ("exits_hard", "dangerous_nets.exits_hard", "exits_hard"),
        ("interrupts", "dangerous_nets.interrupts", "dangerous_nets.interrupts"),
        ("reads_input", "dangerous_nets.reads_input", "reads_input"),
        ("prints", "dangerous_nets.prints", ""),
        ("__main__", "dangerous_nets.__main__", "__main__"),
        ("main_of_pip", "pip.__main__", "pip.__main__"),
        ("main_of_typer", "typer.__main__", "typer.__main__"),
        ("main_of_pil", "PIL.__main__", "PIL.__main__"),
        ("main_of_dump", "torch.utils.model_dump.__main__", "__main__"),
        ("yapf", "yapf.__main__", "yapf.__main__"),
        ("hub_command", "huggingface_hub.cli.hf", ""),
        ("beside", "beside_import", "beside_import"),
        ("imports_beside", "dangerous_nets.imports_beside", ("q7x_beside", "imports_beside")),
        ("loose", "loose_nets", "loose_nets"),
        ("file", "beside_import.py", "beside_import"),
        ("antigravity", "antigravity", "antigravity"),
    )
)
ENDLESS = (
    symbol("round", "x = 1", "round", "number=1, ndigits=-10**9"),
    model("layers", "torch.nn.Transformer", "num_encoder_layers=10**7"),
)
MAINS = (
    model("type_main_of_pip", "pip.__main__", ""),
    model("type_main_of_typer", "typer.__main__.main", ""),
    model("type_main", "dangerous_nets.__main__", ""),
    symbol("symbol_main", "from dangerous_nets.__main__ import Net", "Net"),
)
SHARED = (*CALLABLES, *SYMBOLS, *NESTED, *OPTIMIZERS, *IMPORTS)
BESIDE = {
    f"{name}.py": python_code(f"{name}_ran")
    for name in (
        "beside_symbol",
        "beside_scope",
        "beside_optimizer",
        "beside_constructor",
        "beside_scheduler",
        "beside_import",
        "evil",
        "q7x_beside",
    )
}
