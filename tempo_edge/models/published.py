"""The models of others that can be pulled, each pinned to one revision.

A revision names a commit, and a commit names the contents of every file in it. Where the checksum
of a file is known here as well, it has to be that one.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from tempo_edge.errors import ProfileError

__all__ = [
    "ENCODERS",
    "PRECISIONS",
    "PUBLISHED",
    "PinnedFile",
    "Published",
    "PublishedEncoder",
    "find_published",
]


@dataclass(frozen=True)
class Published:
    """A checkpoint on a model hub.

    Attributes:
        name: what it is called here.
        repository, revision: where it lies, and the commit.
        kind: ``"encoder"`` for towers that index and search, ``"grounder"`` for a Video-MLLM.
        licence: of the weights.
        bytes: size of the weights.
        sha256: of the weights, by file, where known.
        speaks: what languages it takes queries in.
    """

    name: str
    repository: str
    revision: str
    kind: str
    licence: str
    bytes: int
    sha256: dict[str, str] = field(default_factory=dict)
    speaks: str = "English"

    @property
    def memory_bytes(self) -> int:
        """Memory to have free, an estimate: the weights and a fifth for what passes through."""
        return self.bytes * 6 // 5


PUBLISHED = {
    each.name: each
    for each in (
        Published(
            name="siglip2-base-patch16-224",
            repository="google/siglip2-base-patch16-224",
            revision="75de2d55ec2d0b4efc50b3e9ad70dba96a7b2fa2",
            kind="encoder",
            licence="Apache-2.0",
            bytes=1_500_800_904,
            sha256={
                "model.safetensors": "612923381c76ec5a9bed335d1c48827e"
                "3f2e506ac31b044b63b2031fadee6a0b"
            },
            speaks="many languages",
        ),
        Published(
            name="siglip2-so400m-patch14-384",
            repository="google/siglip2-so400m-patch14-384",
            revision="e8e487298228002f3d8a82e0cd5c8ea9c567f57f",
            kind="encoder",
            licence="Apache-2.0",
            bytes=4_544_143_072,
            sha256={
                "model.safetensors": "9f4f4a49f908ef0c979bce8ff5a5c0e8"
                "8882dc6c5dc4304387cbbd152558e2c2"
            },
            speaks="many languages",
        ),
        # Its authors publish a pickle, which is never read: this is the same in safetensors.
        Published(
            name="pe-core-s16-384",
            repository="timm/PE-Core-S-16-384",
            revision="3249a38eb1c432ec19231c6fe1774acb6a4e4efe",
            kind="encoder",
            licence="Apache-2.0",
            bytes=349_000_000,
        ),
        Published(
            name="smolvlm2-500m-video-instruct",
            repository="HuggingFaceTB/SmolVLM2-500M-Video-Instruct",
            revision="7b375e1b73b11138ff12fe22c8f2822d8fe03467",
            kind="grounder",
            licence="Apache-2.0",
            bytes=2_030_000_000,
        ),
        Published(
            name="qwen3-vl-2b-instruct",
            repository="Qwen/Qwen3-VL-2B-Instruct",
            revision="89644892e4d85e24eaac8bacfd4f463576704203",
            kind="grounder",
            licence="Apache-2.0",
            bytes=4_255_140_312,
            sha256={
                "model.safetensors": "7de1838c87a5349b016c26a1c3f7d2bc"
                "400a3d485f95ef39a7059ffd734977a0"
            },
            speaks="many languages",
        ),
        Published(
            name="qwen3-vl-4b-instruct",
            repository="Qwen/Qwen3-VL-4B-Instruct",
            revision="ebb281ec70b05090aa6165b016eac8ec08e71b17",
            kind="grounder",
            licence="Apache-2.0",
            bytes=8_875_631_616,
            speaks="many languages",
        ),
    )
}


#: The precisions that graphs are published in, smallest files first.
PRECISIONS = ("int8", "uint8", "fp16", "fp32")

# What a file may have beyond twice the size that is expected, where the commit alone knows it.
_SMALL_CHANGE = 1 << 16


@dataclass(frozen=True)
class PinnedFile:
    """A file of a repository.

    Attributes:
        name: its path there.
        bytes: its size, to be told before it is fetched; without a checksum an estimate.
        sha256: its checksum; None where the commit alone says what is in it.
    """

    name: str
    bytes: int
    sha256: str | None = None

    @property
    def precision(self) -> str:
        """The one of :data:`PRECISIONS` that a graph's name says it has."""
        ending = self.name.removesuffix(".onnx").rpartition("_")[2]
        return ending if ending in PRECISIONS else "fp32"

    @property
    def most_bytes(self) -> int:
        """The largest size that such a file may have at its commit."""
        return self.bytes if self.sha256 is not None else 2 * self.bytes + _SMALL_CHANGE


@dataclass(frozen=True)
class PublishedEncoder:
    """Two towers that were published as ONNX, and search as they are.

    Attributes:
        name: what the profile is called that is made of them.
        repository, revision: where they lie, and the commit.
        licence: of the weights; ``languages``: what queries may be in.
        family: ``"siglip2"`` or ``"clip"``: what the graphs' inputs and outputs mean.
        image, text: the graphs of either tower, smallest first: another is fetched where the one
            before it doesn't run, or where it is asked for. Both may be one graph that has both
            towers.
        beside: tokenizer, configuration and the description of what is done to pictures.
    """

    name: str
    repository: str
    revision: str
    licence: str
    languages: str
    family: str
    image: tuple[PinnedFile, ...]
    text: tuple[PinnedFile, ...]
    beside: tuple[PinnedFile, ...]

    @property
    def sha256(self) -> dict[str, str]:
        """The checksum of each file that has one here, by its path in the repository."""
        files = (*self.image, *self.text, *self.beside)
        return {each.name: each.sha256 for each in files if each.sha256 is not None}

    @property
    def precisions(self) -> tuple[str, ...]:
        """The precisions that a graph of either tower can be had in, smallest first."""
        had = {each.precision for each in (*self.image, *self.text)}
        return tuple(each for each in PRECISIONS if each in had)

    @property
    def bytes(self) -> int:
        """Size of what is fetched where the smallest graphs run."""
        return sum(each.bytes for each in {self.image[0], self.text[0], *self.beside})

    @property
    def memory_bytes(self) -> int:
        """Memory to have free, an estimate: the graphs and a fifth for what passes through."""
        return sum(each.bytes for each in {self.image[0], self.text[0]}) * 6 // 5


_GEMMA = PinnedFile(
    "tokenizer.json",
    34_363_039,
    "cb9140fae3ac5122c972d37adf83e1248471a38147ad76f8215c8872c6fd8322",
)


# One graph for both towers.
_TINY_CLIP = (
    PinnedFile(
        "onnx/model_int8.onnx",
        85_618_595,
        "0843578fa3e1c386a3be5250ccb13cc8836d062876a34756f380a2e371e86a75",
    ),
    PinnedFile("onnx/model_uint8.onnx", 85_618_600),
)


def _described(tokenizer_bytes: int) -> tuple[PinnedFile, ...]:
    """Small files that the commit alone says the contents of."""
    return (
        PinnedFile("tokenizer.json", tokenizer_bytes),
        PinnedFile("config.json", 5_000),
        PinnedFile("preprocessor_config.json", 500),
    )


ENCODERS = {
    each.name: each
    for each in (
        PublishedEncoder(
            name="siglip2",
            repository="onnx-community/siglip2-base-patch16-224-ONNX",
            revision="ba1f3b0843f24bc5417d38e19c37b287d719b2f4",
            licence="Apache-2.0",
            languages="many languages",
            family="siglip2",
            image=(
                PinnedFile(
                    "onnx/vision_model_int8.onnx",
                    94_553_333,
                    "0dd31785a2713f1113ef2272472165c69d580473dae38d7b47568ac587795e70",
                ),
                PinnedFile("onnx/vision_model_uint8.onnx", 94_553_400),
                PinnedFile(
                    "onnx/vision_model_fp16.onnx",
                    186_039_516,
                    "a1959f7bd3993a607e48839f6d01e25b876fe76afda301b028b78eef68aabd95",
                ),
                PinnedFile(
                    "onnx/vision_model.onnx",
                    371_807_752,
                    "c0573e3f4140c3a7c4e9cc5912bd6b26a033b46a6a8e8af26cbea262b163bcad",
                ),
            ),
            text=(
                PinnedFile(
                    "onnx/text_model_int8.onnx",
                    283_438_275,
                    "3a0603d3a00c05a80a6ded4743c16aaac7b1e62cdcc7e362e7ce418659b96400",
                ),
                PinnedFile("onnx/text_model_uint8.onnx", 283_438_300),
                PinnedFile(
                    "onnx/text_model_fp16.onnx",
                    564_862_230,
                    "711da56ada0a4aa11c7dd3320df741081a3cae4f0ae1b5e5c6d5b294738d0eb0",
                ),
            ),
            beside=(
                _GEMMA,
                PinnedFile(
                    "config.json",
                    435,
                    "e43a9f7692d3819886a82cb2097048258d444f123c67d37ec825f9345b019cf2",
                ),
                PinnedFile(
                    "preprocessor_config.json",
                    394,
                    "9b36b57ebaf20f09bf4c22100ccc21877ea6bfe5aead0c00c59f8af8ccefacfc",
                ),
            ),
        ),
        PublishedEncoder(
            name="siglip2-so400m",
            repository="onnx-community/siglip2-so400m-patch16-256-ONNX",
            revision="7881d8f282cbd7cdeac1aca6bed493a36d58e713",
            licence="Apache-2.0",
            languages="many languages",
            family="siglip2",
            image=(
                PinnedFile(
                    "onnx/vision_model_fp16.onnx",
                    856_359_102,
                    "f700a9ffcaa976d663ffd8f3eaff249db42fc22cc70d2aa5e29cc4da5e42b5ad",
                ),
            ),
            text=(
                PinnedFile(
                    "onnx/text_model_int8.onnx",
                    711_126_655,
                    "189f41c153c7a914b67ee3f8aff2b90d6deacf280a504284b4004257cebf9066",
                ),
                PinnedFile("onnx/text_model_uint8.onnx", 711_126_700),
            ),
            beside=(_GEMMA, *_described(0)[1:]),
        ),
        PublishedEncoder(
            name="tinyclip",
            repository="onnx-community/TinyCLIP-ViT-40M-32-Text-19M-LAION400M-ONNX",
            revision="737108a175dc6c043d9e64cf738baa91a272f7cb",
            licence="MIT",
            languages="English",
            family="clip",
            image=_TINY_CLIP,
            text=_TINY_CLIP,
            beside=_described(2_300_000),
        ),
        PublishedEncoder(
            name="clip",
            repository="Xenova/clip-vit-base-patch32",
            revision="d15189d7028b43f1d3e65039190477f6af591c2a",
            licence="MIT",
            languages="English",
            family="clip",
            image=(
                PinnedFile(
                    "onnx/vision_model_uint8.onnx",
                    88_648_915,
                    "b95448754a6ae56964ec80c570c80bb9863787ee85f51b664abed8c0e5f22a7a",
                ),
            ),
            text=(
                # 63 million numbers of four bytes: what it measures to the byte, the commit knows.
                PinnedFile(
                    "onnx/text_model.onnx",
                    254_000_000,
                    "3f6571f5bad13a97c469c1622e1cfc4d9aef78b79fdbfcff804ca357bfada8cc",
                ),
            ),
            beside=_described(2_300_000),
        ),
    )
}


def find_published(name: str) -> Published:
    """The checkpoint of that name, or of that repository.

    Raises:
        ProfileError: there is none.
    """
    for each in PUBLISHED.values():
        if name in (each.name, each.repository):
            return each
    for encoder in ENCODERS.values():
        if name in (encoder.name, encoder.repository):
            raise ProfileError(
                f"model {encoder.name!r} searches as it was published: "
                f"tempo-edge models use {encoder.name}"
            )
    raise ProfileError(f"model {name!r} must be one of {sorted(PUBLISHED)}")
