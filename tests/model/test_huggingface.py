"""Models of transformers: what the library builds, without network, weights and code of a repository."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import partial
from importlib import util
from pathlib import Path
from typing import Any

import pytest
import torch
import transformers
from torch import nn

from optplan import load_model
from optplan.errors import ModelError
from optplan.model import open_model
from tests.conftest import Invoke

TINY: dict[str, Any] = {
    "vocab_size": 11,
    "hidden_size": 8,
    "intermediate_size": 12,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
}
CONFIG = "optimizer = dict(type='AdamW', lr=0.1, weight_decay=0.01)\n"


def facts(model: nn.Module) -> list[tuple[Any, ...]]:
    """Each name with all that is to be equal; tied names have one number."""
    tensors: dict[int, int] = {}
    return [
        (
            name,
            tuple(one.shape),
            one.dtype,
            one.requires_grad,
            tensors.setdefault(id(one), len(tensors)),
            one.is_meta,
        )
        for name, one in model.named_parameters(remove_duplicate=False)
    ]


def on_meta(build: Callable[[], Any]) -> nn.Module:
    with torch.device("meta"):
        model: nn.Module = build()
    return model


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder as a model is saved in, but for its weights."""
    config = transformers.LlamaConfig(**TINY, tie_word_embeddings=True, dtype="bfloat16")
    config.architectures = ["LlamaForSequenceClassification"]
    config.save_pretrained(tmp_path / "net")
    return tmp_path / "net"


def test_a_type() -> None:
    loaded = open_model("hf:llama", TINY)
    config = transformers.LlamaConfig(**TINY)
    wanted = on_meta(lambda: transformers.LlamaForCausalLM(config))
    assert type(loaded.module) is transformers.LlamaForCausalLM
    assert facts(loaded.module) == facts(wanted)
    assert (loaded.spec, loaded.source) == ("hf:llama", "transformers")


def test_ties_are_the_librarys() -> None:
    model = load_model("hf:llama", **TINY, tie_word_embeddings=True)
    assert model.get_parameter("lm_head.weight") is model.get_parameter("model.embed_tokens.weight")


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        ("llama", "LlamaForCausalLM"),
        ("bert", "BertForPreTraining"),
        ("roberta-prelayernorm", "RobertaPreLayerNormForMaskedLM"),
        ("marian", "MarianMTModel"),
        ("whisper", "WhisperForConditionalGeneration"),
        ("vit", "ViTForImageClassification"),
        ("qwen2_5_vl_text", "Qwen2_5_VLTextModel"),
    ],
)
def test_the_first_class_of_a_type(kind: str, name: str) -> None:
    assert type(load_model(f"hf:{kind}")).__name__ == name


@pytest.mark.parametrize("name", ["AutoModelForTokenClassification", "LlamaForTokenClassification"])
def test_a_head(name: str) -> None:
    model = load_model("hf:llama", **TINY, auto_class=name, num_labels=5)
    assert type(model).__name__ == "LlamaForTokenClassification"
    assert tuple(model.get_parameter("score.weight").shape) == (5, 8)


@pytest.mark.parametrize("form", ["hf:{}", "{}/config.json", "hf:{}/config.json"])
def test_a_folder(form: str, folder: Path) -> None:
    config = transformers.AutoConfig.from_pretrained(folder, local_files_only=True)
    wanted = on_meta(lambda: transformers.LlamaForSequenceClassification._from_config(config))
    found = facts(load_model(form.format(folder)))
    assert found == facts(wanted)
    assert {row[2] for row in found} == {torch.bfloat16}


def test_overrides_of_a_folder(folder: Path) -> None:
    config = transformers.AutoConfig.from_pretrained(folder, num_hidden_layers=1, num_labels=3)
    wanted = on_meta(lambda: transformers.LlamaForSequenceClassification._from_config(config))
    found = load_model(f"hf:{folder}", num_hidden_layers=1, num_labels=3)
    assert facts(found) == facts(wanted)


@pytest.mark.parametrize("is_file", [False, True])
def test_overrides_of_a_part(tmp_path: Path, is_file: bool) -> None:
    names = {"text_config.num_hidden_layers": 1, "vision_config.num_hidden_layers": 1}
    spec = "hf:clip"
    if is_file:
        transformers.CLIPConfig().save_pretrained(tmp_path)
        spec = f"hf:{tmp_path}"
    model = load_model(spec, auto_class="AutoModel", **names)
    layers = [name for name, _ in model.named_modules() if name.endswith("mlp.fc1")]
    assert layers == [
        "text_model.encoder.layers.0.mlp.fc1",
        "vision_model.encoder.layers.0.mlp.fc1",
    ]


def test_a_folder_that_is_called_like_a_type(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder.rename(folder.with_name("bert"))
    monkeypatch.chdir(folder.parent)
    assert type(load_model("hf:bert")).__name__ == "LlamaForSequenceClassification"
    Path("gpt2").mkdir()  # holds no model
    assert type(load_model("hf:gpt2", n_layer=1)).__name__ == "GPT2LMHeadModel"


def test_implementations_are_left_to_the_training(folder: Path) -> None:
    """What a training asks for, as FlashAttention, need not be installed here."""
    path = folder / "config.json"
    data = json.loads(path.read_text())
    path.write_text(json.dumps({**data, "attn_implementation": "flash_attention_2"}))
    assert len(list(load_model(str(path)).parameters())) == 21


BAD: dict[str, tuple[str, dict[str, Any], str]] = {
    "unknown type": ("hf:lama", {}, "has no model type 'lama' .did you mean 'llama'"),
    "no type": ("hf:", {}, "has no model type ''"),
    "of the hub": ("hf:meta-llama/Llama-2-7b", {}, "no folder here, and nothing is downloaded"),
    "long": ("hf:" + "a/" * 3000, {}, "no folder here"),
    "null byte": ("hf:a\0b", {}, "has no model type"),
    "misspelt": ("hf:llama", {"num_hidden_layer": 2}, "did you mean 'num_hidden_layers'"),
    "misspelt in a part": (
        "hf:clip", {"text_config.hidden_sise": 2}, "CLIPTextConfig has no entry 'hidden_sise'",
    ),
    "wrong type": ("hf:llama", {"num_hidden_layers": "x"}, "'num_hidden_layers' expected int"),
    "impossible": ("hf:llama", {"hidden_size": -1}, "is refused|raises while it is built"),
    "no such head": ("hf:llama", {"auto_class": "AutoModelForMaskedLM"}, "for the type 'llama'"),
    "no such class": ("hf:llama", {"auto_class": "LlamaFor"}, "has no model class 'LlamaFor'"),
    "no model class": ("hf:llama", {"auto_class": "LlamaConfig"}, "has no model class"),
    "another's class": ("hf:llama", {"auto_class": "BertModel"}, "BertModel takes a BertConfig"),
    "a number for a class": ("hf:llama", {"auto_class": 3}, "has no model class '3'"),
    "remote code": ("hf:llama", {"trust_remote_code": True}, "trust_remote_code is refused"),
    "no file": ("nowhere/config.json", {}, "'nowhere/config.json' cannot be read"),
}  # fmt: skip


@pytest.mark.parametrize("name", BAD)
def test_bad_input(name: str) -> None:
    spec, arguments, message = BAD[name]
    with pytest.raises(ModelError, match=f"(?s){message}"):
        open_model(spec, arguments)


BAD_FILES = {
    "no JSON": ("{", "is not JSON"),
    "a list": ("[]", "it is no JSON object"),
    "no type": ("{}", "names no model_type"),
    "a number for a type": ('{"model_type": 3}', "names no model_type"),
    "unknown type": ('{"model_type": "lama"}', "has no model type 'lama'"),
    "unknown architecture": (
        '{"model_type": "llama", "architectures": ["LlamaForNothing"]}', "has no model class",
    ),
    "nested deeply": ("[" * 100_000, "is not JSON"),
}  # fmt: skip


@pytest.mark.parametrize("name", BAD_FILES)
def test_bad_files(name: str, tmp_path: Path) -> None:
    text, message = BAD_FILES[name]
    (tmp_path / "config.json").write_text(text)
    with pytest.raises(ModelError, match=message):
        open_model(f"hf:{tmp_path}", {})


@pytest.mark.parametrize("kind", ["own_type", "llama"])
def test_code_of_a_repository_is_not_run(kind: str, folder: Path) -> None:
    code = "from pathlib import Path\nPath(__file__).with_name('ran').touch()\n"
    for name in ("configuration_own.py", "modeling_own.py"):
        (folder / name).write_text(code)
    data = json.loads((folder / "config.json").read_text())
    auto_map = {"AutoConfig": "configuration_own.Own", "AutoModel": "modeling_own.Own"}
    auto_map["AutoModelForCausalLM"] = "modeling_own.Own"
    (folder / "config.json").write_text(
        json.dumps({**data, "model_type": kind, "architectures": None, "auto_map": auto_map})
    )
    if kind == "llama":  # which the library has
        found = type(load_model(f"hf:{folder}"))
        assert found is transformers.LlamaForCausalLM
    else:
        with pytest.raises(ModelError, match=r"code of its own.*which is never run"):
            load_model(f"hf:{folder}")
    assert not (folder / "ran").exists()


def test_nothing_is_downloaded(tmp_path: Path) -> None:
    """The config of a backbone that is named by its repository."""
    data = {"model_type": "detr", "backbone": "microsoft/resnet-50", "use_timm_backbone": False}
    (tmp_path / "config.json").write_text(json.dumps(data))
    with pytest.raises(ModelError, match="tries to download"):
        open_model(f"hf:{tmp_path}", {})


def test_without_the_library(invoke: Invoke, tmp_path: Path, monkeypatch: Any) -> None:
    found = util.find_spec
    monkeypatch.setattr(
        util, "find_spec", lambda name, *a: None if name == "transformers" else found(name, *a)
    )
    (tmp_path / "c.py").write_text(CONFIG)
    done = invoke("show", "c.py", "--model", "hf:llama", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == (
        "error: 'hf:llama' is a model of transformers, which is not installed\n"
        "  hint: pip install transformers\n"
    )


@pytest.mark.parametrize(
    "words",
    [
        ("show", "c.py"),
        ("explain", "c.py", "lm_head.weight"),
        ("diff", "c.py", "c.py"),
        ("check", "c.py"),
        ("schedule", "c.py", "--iters", "10"),
        ("verify", "c.py"),
    ],
    ids=lambda words: words[0],
)
def test_every_command(words: tuple[str, ...], invoke: Invoke, tmp_path: Path) -> None:
    (tmp_path / "c.py").write_text(CONFIG)
    given = [word for name, value in TINY.items() for word in ("-k", f"{name}={value}")]
    done = invoke(*words, "--model", "hf:llama", *given, cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")


def test_a_project_names_one(invoke: Invoke, folder: Path) -> None:
    (folder / "c.py").write_text(CONFIG)
    (folder / "pyproject.toml").write_text(
        "[[tool.optplan.targets]]\nconfigs = ['c.py']\nmodel = 'config.json'\n"
    )
    done = invoke("show", "c.py", cwd=folder)
    assert (done.returncode, done.stderr) == (0, "")
    assert "score.weight" in done.stdout


KINDS = list(transformers.CONFIG_MAPPING)


def compare(kinds: list[str]) -> dict[str, str]:
    """Hold models against what the library's own auto classes build; gives those that are refused."""
    left_out = {}
    for kind in kinds:
        try:
            found: nn.Module | None = load_model(f"hf:{kind}")
        except ModelError as error:
            found, left_out[kind] = None, str(error).splitlines()[0]
        wanted = built_by_the_library(kind, None if found is None else type(found).__name__)
        assert (found is None) == (wanted is None), kind
        if found is not None and wanted is not None:
            assert facts(found) == facts(wanted), kind
    return left_out


def built_by_the_library(kind: str, name: str | None) -> nn.Module | None:
    """A model as any of the auto classes builds it: the one of a name, or any at all."""
    autos = [one for one in dir(transformers) if one.startswith("AutoModel")]
    for auto in autos:
        try:
            config = transformers.CONFIG_MAPPING[kind]()
            make = partial(getattr(transformers, auto).from_config, config)
            model = on_meta(make)
        except Exception:  # noqa: BLE001 - the library refuses in many ways
            continue
        if name in (None, type(model).__name__):
            return model
    return None


@pytest.mark.sweep
def test_types() -> None:
    left_out = compare(KINDS[5::40])
    assert (
        len(left_out) < len(KINDS[5::40]) / 2
    )  # parts of models, and what the library itself cannot build


@pytest.mark.long
def test_all_types() -> None:
    left_out = compare(KINDS)
    print(f"{len(KINDS) - len(left_out)} of {len(KINDS)} types of {transformers.__version__} build")
    for kind, why in left_out.items():
        print(f"{kind}: {why}")
    assert len(KINDS) - len(left_out) >= 600
