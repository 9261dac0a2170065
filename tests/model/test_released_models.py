"""Released configs with their own models: every parameter as the running reference has it."""

from __future__ import annotations

import pytest

from tests.conftest import Tell
from tests.released import Comparison, Equal, distinct, folder_of, told, trained_configs

# Each with something of its own: backbones, frozen parts, several parts, wrappers, optimizers, constructors.
CONFIGS = [
    "barlowtwins/barlowtwins_resnet50_8xb256-coslr-1000e_in1k.py",
    "beit/benchmarks/beit-base-p16_8xb128-coslr-100e_in1k.py",
    "byol/byol_resnet50_16xb256-coslr-200e_in1k.py",
    "convmixer/convmixer-768-32_10xb64_in1k.py",
    "convnext/convnext-tiny_32xb128_in1k.py",
    "deit/deit-tiny_4xb256_in1k.py",
    "densecl/benchmarks/resnet50_8xb32-linear-steplr-100e_in1k.py",
    "eva/benchmarks/vit-base-p16_8xb128-coslr-100e_in1k.py",
    "inception_v3/inception-v3_8xb32_in1k.py",
    "lenet/lenet5_mnist.py",
    "levit/levit-128s_8xb256_in1k.py",
    "mae/benchmarks/vit-base-p16_8xb128-coslr-100e_in1k.py",
    "mae/mae_vit-base-p16_8xb512-amp-coslr-300e_in1k.py",
    "maskfeat/maskfeat_vit-base-p16_8xb256-amp-coslr-300e_in1k.py",
    "mixmim/benchmarks/mixmim-base_8xb128-coslr-100e_in1k.py",
    "mlp_mixer/mlp-mixer-base-p16_64xb64_in1k.py",
    "mobilenet_v2/mobilenet-v2_8xb32_in1k.py",
    "mocov3/mocov3_vit-small-p16_16xb256-amp-coslr-300e_in1k.py",
    "mvit/mvitv2-tiny_8xb256_in1k.py",
    "repvgg/repvgg-A0_8xb32_in1k.py",
    "resnet/resnet18_8xb32_in1k.py",
    "resnet/resnet50_8xb256-rsb-a3-100e_in1k.py",
    "seresnet/seresnet50_8xb32_in1k.py",
    "simmim/benchmarks/swin-base-w6_8xb256-coslr-100e_in1k-192px.py",
    "simsiam/simsiam_resnet50_8xb32-coslr-100e_in1k.py",
    "spark/spark_sparse-convnextv2-tiny_16xb256-amp-coslr-800e_in1k.py",
    "swav/swav_resnet50_8xb32-mcrop-coslr-200e_in1k-224px-96px.py",
    "swin_transformer/swin-tiny_16xb64_in1k.py",
    "twins/twins-svt-small_8xb128_in1k.py",
    "vgg/vgg16_8xb16_voc.py",
]
SAMPLE = 137


@pytest.mark.parametrize("name", CONFIGS)
def test_equals_the_reference(name: str) -> None:
    result = Comparison().of(folder_of("mmpretrain") / name)
    assert isinstance(result, Equal), result
    assert result.on_meta


@pytest.mark.sweep
def test_a_sample_equals_the_reference(tell: Tell) -> None:
    """``python -m tests.bench.own_models`` compares all of them."""
    everything = distinct(trained_configs("mmpretrain"))
    paths = list(everything)
    sample = {
        path: everything[path]
        for path in (paths[index * len(paths) // SAMPLE] for index in range(SAMPLE))
    }
    comparison = Comparison()
    results = [comparison.of(path) for path in sample]
    for line in told(results, sample):
        tell(line)
    assert sum(isinstance(result, Equal) for result in results) >= 120
