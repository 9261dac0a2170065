"""Modules whose constructors do it by other ways: native code, the standard library's helpers, later calls."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

import torch
from dangerous_nets.base import Net
from torch import nn


def _scratch() -> str:
    import tempfile

    return tempfile.gettempdir()


class Does(Net):
    """Does one thing with a path, a text or a host, by its name."""

    def __init__(self, how: str, what: str) -> None:
        super().__init__()
        WAYS[how](what)


def _rename_out(path: str) -> None:
    inside = Path(_scratch()) / "q7x"
    inside.write_text("x")
    os.rename(inside, path)


def _link_out(path: str) -> None:
    inside = Path(_scratch()) / "q7x"
    inside.write_text("x")
    os.link(inside, path)


def _interpreter(text: str) -> None:
    try:
        import _interpreters as interpreters  # type: ignore[import-not-found]
    except ImportError:
        import _xxsubinterpreters as interpreters  # type: ignore[import-not-found]
    interpreters.run_string(interpreters.create(), text)


def _annotation(text: str) -> None:
    import typing

    typing.get_type_hints(type("A", (), {"__annotations__": {"a": text}}))


def _tuple(text: str) -> None:
    import collections

    collections.namedtuple("A", f"a {text}")  # type: ignore[misc]  # noqa: PYI024


def _resolve(text: str) -> None:
    import pkgutil

    pkgutil.resolve_name("os:system")(text)


def _dict_config(path: str) -> None:
    import logging.config

    handler = {"class": "logging.FileHandler", "filename": path}
    logging.config.dictConfig({"version": 1, "handlers": {"a": handler}})


def _yaml(text: str) -> None:
    import yaml

    yaml.unsafe_load(f"!!python/object/apply:os.system [{text!r}]")


def _timeit(text: str) -> None:
    import timeit

    timeit.timeit(text, number=1)


def _sympify(text: str) -> None:
    import sympy

    sympy.sympify(text)


def _template(text: str) -> None:
    import jinja2

    jinja2.Template("{{ ().__class__ }}" + text).render()


def _shared_memory(name: str) -> None:
    from multiprocessing import shared_memory

    shared_memory.SharedMemory(name=name, create=True, size=8)


def _map(path: str) -> None:
    torch.UntypedStorage.from_file(path, True, 8)


def _map_tensor(path: str) -> None:
    torch.from_file(path, shared=True, size=8)


def _picture(path: str) -> None:
    import torchvision.io

    torchvision.io.write_file(path, torch.zeros(3, dtype=torch.uint8))


def _picture_of_cv(path: str) -> None:
    import cv2
    import numpy as np

    cv2.imwrite(f"{path}.png", np.zeros((2, 2, 3), dtype="uint8"))


def _read_of_cv(path: str) -> None:
    import cv2

    with_text = cv2.FileStorage(path, 0)
    raise ValueError(str(with_text.isOpened()))


def _video(path: str) -> None:
    import cv2

    cv2.VideoWriter(f"{path}.avi", cv2.VideoWriter.fourcc(*"MJPG"), 1, (16, 16)).release()


def _script(path: str) -> None:
    torch.jit.script(nn.Linear(1, 1, device="cpu")).save(path)


def _load_script(path: str) -> None:
    torch.jit.load(path)


def _trace(path: str) -> None:
    with torch.profiler.profile() as profile:
        torch.zeros(1)
    profile.export_chrome_trace(path)


def _file_store(path: str) -> None:
    torch.distributed.FileStore(path, 1).set("a", "b")


def _group(path: str) -> None:
    torch.distributed.init_process_group(
        "gloo", init_method=f"file://{os.path.abspath(path)}", rank=0, world_size=1
    )


def _store(host: str) -> None:
    from datetime import timedelta

    torch.distributed.TCPStore(host, 47011, is_master=True, timeout=timedelta(seconds=2))


def _safe(path: str) -> None:
    from safetensors.torch import save_file

    save_file({"a": torch.zeros(1, device="cpu")}, path)


def _read_safe(path: str) -> None:
    from safetensors.torch import load_file

    load_file(path)


def _state(path: str) -> None:
    torch.hub.load_state_dict_from_url("http://q7x.invalid/a.pth", model_dir=path)


def _hub(path: str) -> None:
    torch.hub.load(path, "Net", source="local")


def _numbers(path: str) -> None:
    import numpy as np

    np.memmap(path, dtype="uint8", mode="w+", shape=(1,))


def _crash_log(path: str) -> None:
    import faulthandler

    faulthandler.enable(open(path, "w"))  # noqa: SIM115


def _dump_memory(path: str) -> None:
    import tracemalloc

    tracemalloc.start()
    tracemalloc.take_snapshot().dump(path)


def _later(path: str) -> None:
    """Runs at every later call, whoever makes it."""

    def follow(*_: Any) -> None:
        sys.setprofile(None)
        os.mkdir(path)

    sys.setprofile(follow)


def _replaced(path: str) -> None:
    """Has optplan's own reading of files do it."""
    import builtins

    real = builtins.open

    def opened(*arguments: Any, **options: Any) -> Any:
        os.makedirs(path, exist_ok=True)
        return real(*arguments, **options)

    builtins.open = opened  # type: ignore[assignment]


def _collected(path: str) -> None:
    import gc

    gc.callbacks.append(lambda *_: os.makedirs(path, exist_ok=True))


def _pipe(path: str) -> None:
    os.mkfifo(path)


def _descriptor(path: str) -> None:
    folder = os.open(os.path.dirname(os.__file__), os.O_RDONLY)
    os.open(path, os.O_WRONLY | os.O_CREAT, dir_fd=folder)


def _core(_: str) -> None:
    os.abort()


WAYS = {
    name.removeprefix("_"): found
    for name, found in list(globals().items())
    if name.startswith("_") and not name.startswith("__") and name != "_scratch"
}


class _Watching(nn.Parameter):
    """A parameter of a class of its own: torch asks it whatever is done with it, by its optimizers too."""

    path = ""

    @classmethod
    def __torch_function__(cls, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        frame: Any = sys._getframe(1)
        while frame is not None:
            if "/torch/optim/" in frame.f_code.co_filename:
                os.mkdir(cls.path)
            frame = frame.f_back
        return super().__torch_function__(func, types, args, kwargs or {})


class WritesInOptimizer(Net):
    def __init__(self, path: str) -> None:
        super().__init__()
        _Watching.path = path
        self.watching = _Watching(torch.zeros(2, device="cpu"))
