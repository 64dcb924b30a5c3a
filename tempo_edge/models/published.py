"""The checkpoints of others that can be pulled, each pinned to one revision.

A revision names a commit, and a commit names the contents of every file in it. Where the checksum
of the weights is known here as well, it has to be that one.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from tempo_edge.errors import ProfileError

__all__ = ["PUBLISHED", "Published", "find_published"]


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
            name="clip-vit-base-patch32",
            repository="openai/clip-vit-base-patch32",
            revision="b33cedfd0df4e43b8238760678fcc89e1a0d38b3",
            kind="encoder",
            licence="MIT",
            bytes=605_157_884,
            sha256={
                "model.safetensors": "99d28a652e6ec46629ab7047a0ac82c6"
                "9b1fe11e0ce672c43af65d3a9a3fc05d"
            },
        ),
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


def find_published(name: str) -> Published:
    """The checkpoint of that name, or of that repository.

    Raises:
        ProfileError: there is none.
    """
    for each in PUBLISHED.values():
        if name in (each.name, each.repository):
            return each
    raise ProfileError(f"model {name!r} must be one of {sorted(PUBLISHED)}")
