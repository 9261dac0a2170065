"""Modules whose constructors evaluate, unpickle, import, write, read, fetch or start what they are given."""

from __future__ import annotations

import importlib
import importlib.machinery
import importlib.util
import os
import pickle
import runpy
import shutil
import socket
import subprocess
import sys
import types
from pathlib import Path
from typing import Any

import torch
from dangerous_nets.base import Net


class Fine(Net):
    """Nothing is wrong with this one."""


# --- code -----------------------------------------------------------------------------------------


class Evaluates(Net):
    def __init__(self, text: str) -> None:
        super().__init__()
        eval(text)


class Executes(Net):
    def __init__(self, text: str) -> None:
        super().__init__()
        exec(text)


class Compiles(Net):
    def __init__(self, text: str) -> None:
        super().__init__()
        exec(compile(text, "<string>", "exec"))


class CallsCode(Net):
    def __init__(self, text: str) -> None:
        super().__init__()
        types.FunctionType(compile(text, "<string>", "exec"), globals())()


class Unmarshals(Net):
    def __init__(self, data: str) -> None:
        super().__init__()
        import marshal

        exec(marshal.loads(bytes.fromhex(data)))


class RunsFile(Net):
    def __init__(self, path: str) -> None:
        super().__init__()
        runpy.run_path(path)


class RunsModule(Net):
    def __init__(self, folder: str, name: str) -> None:
        super().__init__()
        sys.path.insert(0, folder)
        runpy.run_module(name)


class Imports(Net):
    def __init__(self, folder: str, name: str) -> None:
        super().__init__()
        sys.path.insert(0, folder)
        importlib.import_module(name)


class ImportsBeside(Net):
    def __init__(self, name: str) -> None:
        super().__init__()
        sys.path.insert(0, "")
        __import__(name)


class LoadsSpec(Net):
    def __init__(self, path: str) -> None:
        super().__init__()
        spec = importlib.util.spec_from_file_location("remote", path)
        assert spec is not None
        assert spec.loader is not None
        spec.loader.exec_module(importlib.util.module_from_spec(spec))


class LoadsSource(Net):
    def __init__(self, path: str) -> None:
        super().__init__()
        loader = importlib.machinery.SourceFileLoader("remote", path)
        exec(loader.get_code("remote"), {})


class RemoteCode(Net):
    """As hubs do with ``trust_remote_code``: the file goes into a package of the cache, which is imported."""

    def __init__(self, folder: str, *, trust_remote_code: bool = False) -> None:
        super().__init__()
        if trust_remote_code:
            cache = Path.home() / ".cache" / "modules_of_nets"
            cache.mkdir(parents=True, exist_ok=True)
            shutil.copy(f"{folder}/modeling.py", cache / "modeling.py")
            sys.path.append(str(cache))
            importlib.import_module("modeling")


class ImportsZip(Net):
    def __init__(self, path: str, name: str) -> None:
        super().__init__()
        sys.path.insert(0, path)
        importlib.import_module(name)


class LoadsPackage(Net):
    def __init__(self, path: str, name: str) -> None:
        super().__init__()
        from torch.package import PackageImporter

        PackageImporter(path).import_module(name)


# --- unpickling -----------------------------------------------------------------------------------


class Unpickles(Net):
    def __init__(self, path: str) -> None:
        super().__init__()
        with open(path, "rb") as file:
            pickle.load(file)


class UnpicklesText(Net):
    def __init__(self, data: str) -> None:
        super().__init__()
        pickle.loads(bytes.fromhex(data))


class UnpicklesSlowly(Net):
    def __init__(self, data: str) -> None:
        super().__init__()
        import io

        pickle._Unpickler(io.BytesIO(bytes.fromhex(data))).load()  # type: ignore[attr-defined]


class TorchLoads(Net):
    def __init__(self, path: str) -> None:
        super().__init__()
        torch.load(path, weights_only=False)


class NumpyLoads(Net):
    def __init__(self, path: str) -> None:
        super().__init__()
        import numpy as np

        np.load(path, allow_pickle=True)


# --- writing --------------------------------------------------------------------------------------


class Writes(Net):
    def __init__(self, path: str) -> None:
        super().__init__()
        with open(path, "w") as file:
            file.write("written")


class Appends(Net):
    def __init__(self, path: str) -> None:
        super().__init__()
        with open(path, "a") as file:
            file.write("written")


class WritesLow(Net):
    def __init__(self, path: str) -> None:
        super().__init__()
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT))


class Touches(Net):
    def __init__(self, path: str) -> None:
        super().__init__()
        Path(path).touch()


class MakesFolder(Net):
    def __init__(self, path: str) -> None:
        super().__init__()
        os.makedirs(path)


class Removes(Net):
    def __init__(self, path: str) -> None:
        super().__init__()
        os.remove(path)


class RemovesFolder(Net):
    def __init__(self, path: str) -> None:
        super().__init__()
        shutil.rmtree(path)


class Renames(Net):
    def __init__(self, path: str, to: str) -> None:
        super().__init__()
        os.rename(path, to)


class Links(Net):
    def __init__(self, path: str, to: str) -> None:
        super().__init__()
        os.symlink(to, path)


class HardLinks(Net):
    def __init__(self, path: str, to: str) -> None:
        super().__init__()
        os.link(to, path)


class Truncates(Net):
    def __init__(self, path: str) -> None:
        super().__init__()
        os.truncate(path, 0)


class ChangesMode(Net):
    def __init__(self, path: str) -> None:
        super().__init__()
        os.chmod(path, 0o777)


class SavesTensor(Net):
    """torch opens the file in C++, where no audit hook sees it."""

    def __init__(self, path: str) -> None:
        super().__init__()
        torch.save({"a": 1}, path)


class OpensDatabase(Net):
    def __init__(self, path: str) -> None:
        super().__init__()
        import sqlite3

        sqlite3.connect(path).execute("create table a (b)")


# --- reading --------------------------------------------------------------------------------------


class Reads(Net):
    def __init__(self, path: str) -> None:
        super().__init__()
        with open(os.path.expanduser(path)) as file:
            raise ValueError(file.read())


class ReadsLow(Net):
    def __init__(self, path: str) -> None:
        super().__init__()
        raise ValueError(os.read(os.open(os.path.expanduser(path), os.O_RDONLY), 100))


class Lists(Net):
    def __init__(self, path: str) -> None:
        super().__init__()
        raise ValueError(os.listdir(path))


class ReadsInput(Net):
    def __init__(self) -> None:
        super().__init__()
        raise ValueError(sys.stdin.readline() if sys.stdin else os.read(0, 100))


class ReadsInputLow(Net):
    def __init__(self) -> None:
        super().__init__()
        raise ValueError(os.read(0, 100))


# --- processes ------------------------------------------------------------------------------------


class Shells(Net):
    def __init__(self, command: str) -> None:
        super().__init__()
        os.system(command)


class PipesShell(Net):
    def __init__(self, command: str) -> None:
        super().__init__()
        os.popen(command).read()


class Starts(Net):
    def __init__(self, command: list[str]) -> None:
        super().__init__()
        subprocess.run(command, check=False)


class Spawns(Net):
    def __init__(self, command: list[str]) -> None:
        super().__init__()
        os.waitpid(os.posix_spawn(command[0], command, os.environ), 0)


class SpawnsInTerminal(Net):
    def __init__(self, command: list[str]) -> None:
        super().__init__()
        import pty

        pty.spawn(command)


class StartsLow(Net):
    def __init__(self, command: list[str]) -> None:
        super().__init__()
        from multiprocessing.util import spawnv_passfds  # type: ignore[attr-defined]

        os.waitpid(spawnv_passfds(command[0].encode(), command, ()), 0)


class StartsWorker(Net):
    def __init__(self, command: str) -> None:
        super().__init__()
        import multiprocessing

        worker = multiprocessing.get_context("spawn").Process(target=os.system, args=(command,))
        worker.start()
        worker.join()


class Forks(Net):
    def __init__(self, path: str) -> None:
        super().__init__()
        if (child := os.fork()) == 0:
            os.mkdir(path)
            os._exit(0)
        os.waitpid(child, 0)


class Executables(Net):
    def __init__(self, command: list[str]) -> None:
        super().__init__()
        os.execv(command[0], command)


class CallsLibrary(Net):
    def __init__(self, command: str) -> None:
        super().__init__()
        import ctypes

        ctypes.CDLL(None).system(command.encode())


class LoadsLibrary(Net):
    def __init__(self, path: str) -> None:
        super().__init__()
        torch.ops.load_library(path)


class RunsInPython(Net):
    def __init__(self, text: str) -> None:
        super().__init__()
        import ctypes

        ctypes.pythonapi.PyRun_SimpleString(text.encode())


# --- network --------------------------------------------------------------------------------------


class Fetches(Net):
    def __init__(self, url: str) -> None:
        super().__init__()
        import urllib.request

        urllib.request.urlopen(url, timeout=2)


class Connects(Net):
    def __init__(self, host: str) -> None:
        super().__init__()
        socket.create_connection((host, 9), timeout=2)


class ConnectsToAddress(Net):
    def __init__(self, host: str, port: int) -> None:
        super().__init__()
        with socket.socket() as one:
            one.settimeout(2)
            one.connect_ex((host, port))


class ConnectsLow(Net):
    def __init__(self, host: str, port: int) -> None:
        super().__init__()
        import _socket

        one = _socket.socket(_socket.AF_INET, _socket.SOCK_STREAM)
        one.settimeout(2)
        one.connect_ex((host, port))


class SendsDatagram(Net):
    def __init__(self, host: str, port: int, text: str) -> None:
        super().__init__()
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one:
            one.sendto(text.encode(), (host, port))


class LooksUp(Net):
    def __init__(self, host: str) -> None:
        super().__init__()
        socket.gethostbyname(host)


class LooksUpLow(Net):
    def __init__(self, host: str) -> None:
        super().__init__()
        import _socket

        _socket.getaddrinfo(host, 80)


class Listens(Net):
    def __init__(self, host: str) -> None:
        super().__init__()
        with socket.socket() as one:
            one.bind((host, 0))
            one.listen()


# --- later ----------------------------------------------------------------------------------------


class StartsThread(Net):
    def __init__(self, path: str) -> None:
        super().__init__()
        import threading
        import time

        def later() -> None:
            time.sleep(0.2)
            os.mkdir(path)

        threading.Thread(target=later).start()


class WritesAtExit(Net):
    def __init__(self, path: str) -> None:
        super().__init__()
        import atexit

        atexit.register(os.mkdir, path)


class _Mine:
    def __init__(self, path: str) -> None:
        self._path = path
        self._make = os.mkdir

    def __del__(self) -> None:
        self._make(self._path)


class WritesWhenDeleted(Net):
    def __init__(self, path: str) -> None:
        super().__init__()
        self.mine = _Mine(path)


class WritesWhenRead(Net):
    """The parameters are asked for when the plan is made."""

    def __init__(self, path: str) -> None:
        super().__init__()
        self._path = path

    def named_parameters(self, *args: Any, **kwargs: Any) -> Any:
        os.mkdir(self._path)
        return super().named_parameters(*args, **kwargs)


class WritesOnSignal(Net):
    def __init__(self, path: str) -> None:
        super().__init__()
        import signal

        signal.signal(signal.SIGALRM, lambda *_: os.mkdir(path))
        signal.setitimer(signal.ITIMER_REAL, 0.05)


class WritesOnAttribute(Net):
    """A name that is looked up in the class, when a report asks what it is."""

    def __init__(self, path: str) -> None:
        super().__init__()
        self.named = str(path)

    def __repr__(self) -> str:
        os.mkdir(self.named)
        return "a net"


# --- ends, and what never ends ----------------------------------------------------------------------


class Exits(Net):
    def __init__(self, status: int = 0) -> None:
        super().__init__()
        sys.exit(status)


class ExitsHard(Net):
    def __init__(self, status: int = 0) -> None:
        super().__init__()
        os._exit(status)


class Interrupts(Net):
    def __init__(self) -> None:
        super().__init__()
        raise KeyboardInterrupt


class _EndError(BaseException):
    pass


class RaisesBase(Net):
    def __init__(self) -> None:
        super().__init__()
        raise _EndError


class Aborts(Net):
    def __init__(self) -> None:
        super().__init__()
        os.abort()


class Signals(Net):
    """Signal 0 does nothing; what counts is whether it is let through."""

    def __init__(self) -> None:
        super().__init__()
        os.kill(os.getppid(), 0)


class KillsItself(Net):
    def __init__(self) -> None:
        super().__init__()
        import signal

        signal.raise_signal(signal.SIGTERM)


class Moves(Net):
    def __init__(self, path: str) -> None:
        super().__init__()
        os.chdir(path)


class Loops(Net):
    def __init__(self) -> None:
        super().__init__()
        while True:
            pass


class LoopsStubbornly(Net):
    """Signals are ignored, exceptions too."""

    def __init__(self) -> None:
        super().__init__()
        import signal

        for number in (
            signal.SIGTERM,
            signal.SIGINT,
            signal.SIGALRM,
            signal.SIGXCPU,
            signal.SIGHUP,
        ):
            signal.signal(number, signal.SIG_IGN)
        while True:
            try:
                while True:
                    pass
            except BaseException:
                continue


class LoopsInC(Net):
    """The lock of the interpreter is never released."""

    def __init__(self, pattern: str, text: str) -> None:
        super().__init__()
        import re

        re.match(pattern, text)


class Sleeps(Net):
    def __init__(self, seconds: float) -> None:
        super().__init__()
        import time

        time.sleep(seconds)


class Hoards(Net):
    """Takes memory, up to a bound, so that a machine survives it where nothing refuses."""

    def __init__(self, mebibytes: int) -> None:
        super().__init__()
        self.hoard = [bytearray(b"x" * (64 << 20)) for _ in range(mebibytes // 64)]


class Prints(Net):
    def __init__(self, text: str) -> None:
        super().__init__()
        print(text)
        sys.stdout.flush()
        os.write(1, text.encode())


class PrintsForEver(Net):
    def __init__(self, text: str) -> None:
        super().__init__()
        while True:
            os.write(2, text.encode() * 1000)


class Forges(Net):
    """Writes something of its own to every open pipe, and ends as if all were well."""

    def __init__(self, data: str) -> None:
        super().__init__()
        import contextlib
        import stat

        text = bytes.fromhex(data)
        for descriptor in range(1, 64):
            with contextlib.suppress(OSError):
                kind = os.fstat(descriptor).st_mode
                if stat.S_ISFIFO(kind) or stat.S_ISSOCK(kind):
                    os.set_blocking(descriptor, False)
                    os.write(descriptor, len(text).to_bytes(4, "big") + text)
        os._exit(0)
