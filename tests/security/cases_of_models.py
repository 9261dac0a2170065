"""Models of an installed package whose constructors do something with what the config gives them."""

from __future__ import annotations

import io
import zipfile
from dataclasses import replace

from tests.security.cases import SGD, Case, harmful_code, harmful_pickle, python_code

TEXT = "text=\"__import__('os').mkdir('{token}')\""
PATH = "path='{token}'"
OUTSIDE = "path='{outside}/{token}'"
SHELL = "command='mkdir {token}'"
COMMAND = "command=['/bin/mkdir', '{token}']"


def net(
    name: str, kind: str, arguments: str = "", files: dict[str, str | bytes] | None = None
) -> Case:
    """Return the case of a class."""
    return Case(
        name=name,
        text=f"model = dict(type='dangerous_nets.nets.{kind}', {arguments})\n{SGD}",
        says=kind,
        files=files or {},
    )


def _zip(name: str) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("zipped_net.py", python_code(name))
    return buffer.getvalue()


CODE = (
    net("eval", "Evaluates", TEXT),
    net("exec", "Executes", TEXT),
    net("compile", "Compiles", TEXT),
    net("function_of_code", "CallsCode", TEXT),
    net("marshal", "Unmarshals", f"data='{harmful_code('marshal')}'"),
    net("run_path", "RunsFile", "path='run_path.py'", {"run_path.py": python_code("run_path")}),
    net(
        "run_module",
        "RunsModule",
        "folder='{outside}', name='run_module'",
        {"outside/run_module.py": python_code("run_module")},
    ),
    net(
        "import_outside",
        "Imports",
        "folder='{outside}', name='outside_net'",
        {"outside/outside_net.py": python_code("import_outside")},
    ),
    net(
        "module_beside",
        "ImportsBeside",
        "name='beside_net'",
        {"beside_net.py": python_code("module_beside")},
    ),
    net("spec", "LoadsSpec", "path='spec.py'", {"spec.py": python_code("spec")}),
    net("source", "LoadsSource", "path='source.py'", {"source.py": python_code("source")}),
    net(
        "remote_code",
        "RemoteCode",
        "folder='remote', trust_remote_code=True",
        {"remote/modeling.py": python_code("remote_code")},
    ),
    net("zip", "ImportsZip", "path='net.zip', name='zipped_net'", {"net.zip": _zip("zip")}),
    replace(
        net("python_api", "RunsInPython", "text=\"import os; os.mkdir('{token}')\""),
        says="was not let execute text",
    ),
)
PICKLES = (
    net("pickle", "Unpickles", "path='a.pkl'", {"a.pkl": harmful_pickle("pickle")}),
    net("pickle_text", "UnpicklesText", f"data='{harmful_pickle('pickle_text').hex()}'"),
    net("pickle_slow", "UnpicklesSlowly", f"data='{harmful_pickle('pickle_slow').hex()}'"),
    net("torch_load", "TorchLoads", "path='a.pth'", {"a.pth": harmful_pickle("torch_load")}),
    net("numpy_load", "NumpyLoads", "path='a.npy'", {"a.npy": harmful_pickle("numpy_load")}),
)
WRITES = (
    net("write", "Writes", PATH),
    net("write_outside", "Writes", OUTSIDE),
    net("write_home", "Writes", "path='{home}/.ssh/{token}'"),
    net("append", "Appends", "path='good_{token}.py'", {"good_{token}.py": "lr = 1\n"}),
    net("write_low", "WritesLow", PATH),
    net("touch", "Touches", PATH),
    net("mkdir", "MakesFolder", "path='{token}/a/b'"),
    net("remove", "Removes", PATH, {"{token}": "stays"}),
    net("remove_folder", "RemovesFolder", PATH, {"{token}/a/b": "stays"}),
    net("rename", "Renames", "path='{token}', to='{token}_moved'", {"{token}": "stays"}),
    net("symlink", "Links", "path='{token}', to='{outside}'"),
    net("hard_link", "HardLinks", "path='{token}', to='{outside}/q7x_key'"),
    net("truncate", "Truncates", PATH, {"{token}": "stays"}),
    net("mode", "ChangesMode", PATH, {"{token}": "stays"}),
    net("tensor", "SavesTensor", PATH),
    net("database", "OpensDatabase", PATH),
)
READS = (
    net("read", "Reads", OUTSIDE, {"outside/{token}": "q7xsecret"}),
    net("read_low", "ReadsLow", OUTSIDE, {"outside/{token}": "q7xsecret"}),
    net("read_home", "Reads", "path='~/.ssh/{token}'", {"home/.ssh/{token}": "q7xsecret"}),
    net("list", "Lists", OUTSIDE, {"outside/{token}/q7xsecret": ""}),
    net("read_through_link", "Reads", PATH, {"{token}": "-> {outside}/q7x_key"}),
)
PROCESSES = (
    net("system", "Shells", SHELL),
    net("popen", "PipesShell", SHELL),
    net("subprocess", "Starts", COMMAND),
    net("posix_spawn", "Spawns", COMMAND),
    net("spawn_low", "StartsLow", COMMAND),
    net("worker", "StartsWorker", SHELL),
    net("fork", "Forks", PATH),
    net("libc", "CallsLibrary", SHELL),
    net("load_library", "LoadsLibrary", "path='{project}/{token}.so'", {"{token}.so": b"\x7fELF"}),
)
NETWORK = (
    net("url", "Fetches", "url='http://{token}.invalid/a'"),
    net(
        "url_of_file", "Fetches", "url='file://{outside}/{token}'", {"outside/{token}": "q7xsecret"}
    ),
    net("connect", "Connects", "host='{token}.invalid'"),
    net("look_up", "LooksUp", "host='{token}.invalid'"),
    net("look_up_low", "LooksUpLow", "host='{token}.invalid'"),
)
LATER = (
    replace(net("thread", "StartsThread", PATH), says="was not let change files"),
    net("at_exit", "WritesAtExit", PATH),
    net("deleted", "WritesWhenDeleted", PATH),
    net("named_parameters", "WritesWhenRead", PATH),
    net("signal", "WritesOnSignal", PATH),
)
# Those whose events carry no token, or that would end the others.
ALONE = (
    net("python_run_terminal", "SpawnsInTerminal", COMMAND),
    net("execv", "Executables", COMMAND),
    net("address", "ConnectsToAddress", "host='127.0.0.1', port=47002"),
    net("address_low", "ConnectsLow", "host='127.0.0.1', port=47003"),
    net("datagram", "SendsDatagram", "host='127.0.0.1', port=47004, text='{token}'"),
    net("bind", "Listens", "host='127.0.0.1'"),
    net("stdin", "ReadsInput"),
    net("stdin_low", "ReadsInputLow"),
    net("exit", "Exits"),
    net("exit_hard", "ExitsHard"),
    replace(net("interrupt", "Interrupts"), says="ends the process by KeyboardInterrupt"),
    replace(net("base_exception", "RaisesBase"), says="ends the process by _EndError"),
    net("abort", "Aborts"),
    net("kill_parent", "Signals"),
    net("terminate", "KillsItself"),
    net("chdir", "Moves", "path='/'"),
    net("print", "Prints", "text='{token}'"),
    net("forged", "Forges", f"data='{harmful_pickle('forged').hex()}'"),
)
ENDLESS = (
    net("loop", "Loops"),
    net("stubborn", "LoopsStubbornly"),
    net("loop_in_c", "LoopsInC", "pattern='(a|a)*b', text='" + "a" * 64 + "'"),
    net("sleep", "Sleeps", "seconds=1e6"),
    net("memory", "Hoards", "mebibytes=3072"),
)
FLOOD = net("flood", "PrintsForEver", "text='{token}'")
SHARED = (*CODE, *PICKLES, *WRITES, *READS, *PROCESSES, *NETWORK, *LATER)
