"""Small models for the sample configs, each with one thing that a rule looks at."""

from torch import Tensor, nn
from torchvision.ops import DeformConv2d


def block(inputs: int, outputs: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, 3, padding=1), nn.BatchNorm2d(outputs), nn.ReLU()
    )


class Backbone(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.layer0 = block(3, 16)
        self.layer1 = block(16, 32)
        self.layer2 = block(32, 64)

    def forward(self, image: Tensor) -> Tensor:
        out: Tensor = self.layer2(self.layer1(self.layer0(image)))
        return out


class Segmentor(nn.Module):
    """A backbone and a head, as detectors and segmentors have them."""

    def __init__(self, classes: int = 19) -> None:
        super().__init__()
        self.backbone = Backbone()
        self.decode_head = nn.Conv2d(64, classes, 1)

    def forward(self, image: Tensor) -> Tensor:
        out: Tensor = self.decode_head(self.backbone(image))
        return out


class OffsetConv2d(DeformConv2d):
    """A deformable convolution that predicts its own offsets."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__(inputs, outputs, 3, padding=1)
        self.conv_offset = nn.Conv2d(inputs, 18, 3, padding=1)

    def forward(self, image: Tensor) -> Tensor:
        out: Tensor = super().forward(image, self.conv_offset(image))
        return out


class DeformableNet(nn.Module):
    """An ordinary convolution and a deformable one."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Conv2d(3, 8, 3, padding=1)
        self.dcn = OffsetConv2d(8, 16)
        self.head = nn.Linear(16, 10)

    def forward(self, image: Tensor) -> Tensor:
        out: Tensor = self.head(self.dcn(self.stem(image)).mean((2, 3)))
        return out


class TiedLanguageModel(nn.Module):
    """The output layer shares the weight of the embedding."""

    def __init__(self, words: int = 100, width: int = 32) -> None:
        super().__init__()
        self.embedding = nn.Embedding(words, width)
        self.block = nn.TransformerEncoderLayer(width, 4, 64, batch_first=True)
        self.norm = nn.LayerNorm(width)
        self.output = nn.Linear(width, words, bias=False)
        self.output.weight = self.embedding.weight

    def forward(self, words: Tensor) -> Tensor:
        out: Tensor = self.output(self.norm(self.block(self.embedding(words))))
        return out


class Gan(nn.Module):
    """Two networks, each with an optimizer of its own."""

    def __init__(self) -> None:
        super().__init__()
        self.generator = nn.Sequential(block(8, 16), nn.Conv2d(16, 3, 1))
        self.discriminator = nn.Sequential(block(3, 16), nn.Conv2d(16, 1, 1))

    def forward(self, noise: Tensor) -> Tensor:
        out: Tensor = self.discriminator(self.generator(noise))
        return out
