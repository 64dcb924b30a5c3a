"""Pictures in memory of a device are read where they lie: here the device is the processor."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from tempo_edge.errors import ProfileError
from tempo_edge.models import Profile, load_profile, running
from tempo_edge.models.running import reads_device_memory, run_there
from tempo_edge.models.sessions import open_on_cpu
from tempo_edge.models.towers import ImageTower

WANTED = {"vectors": (None, 256), "tokens": (None, None, 256)}


class Held:
    """Pictures that are held somewhere, and told of by CUDA's array interface."""

    def __init__(self, pictures: NDArray[np.uint8]) -> None:
        self.pictures, self.shape, self.copies = pictures, pictures.shape, 0

    @property
    def __cuda_array_interface__(self) -> dict[str, Any]:
        data = self.pictures.ctypes.data, False
        return {"shape": self.shape, "typestr": "|u1", "data": data, "version": 3}

    def __getitem__(self, rows: slice) -> Held:
        return Held(self.pictures[rows])

    def copy_to_host(self) -> NDArray[np.uint8]:
        self.copies += 1
        return self.pictures.copy()


@pytest.fixture(scope="module")
def nano() -> Profile:
    return load_profile("nano")


@pytest.fixture(scope="module")
def session(nano: Profile) -> Any:
    return open_on_cpu(nano.folder / "image.onnx", 1)


@pytest.fixture(scope="module")
def pictures(nano: Profile) -> NDArray[np.uint8]:
    size = nano.image_size
    return np.random.default_rng(0).integers(0, 256, (2, size, size, 3), np.uint8)


def test_they_give_what_they_give_from_memory(
    session: Any, pictures: NDArray[np.uint8], monkeypatch: pytest.MonkeyPatch
) -> None:
    tower = ImageTower(session)
    wanted = tower.encode(pictures)
    held = Held(pictures)
    assert not reads_device_memory(session)
    for one, two in zip(tower.encode(held), wanted, strict=True):
        np.testing.assert_array_equal(one, two)
    assert held.copies == 1, "the processor reads no memory of a card"
    found = run_there(session, WANTED, "images", held, None, device="cpu")
    held.pictures = pictures[::-1].copy()  # it is looked at when the model is run, and not before
    turned = run_there(session, WANTED, "images", held, None, device="cpu")
    for one, two, three in zip(found, turned, wanted, strict=True):
        np.testing.assert_array_equal(one, three)
        np.testing.assert_array_equal(two[::-1], three)
    assert held.copies == 1
    seen = []

    def there(*given: Any) -> Any:
        seen.append(given[3].shape)
        return run_there(*given, device="cpu")

    monkeypatch.setattr("tempo_edge.models.towers.run_there", there)
    monkeypatch.setattr("tempo_edge.models.towers.reads_device_memory", lambda session: True)
    many = Held(np.concatenate([pictures] * 9))
    vectors, _ = tower.encode(many)
    assert many.copies == 0 and len(seen) == 2 and seen[0][0] == 16 and seen[1][0] == 2
    np.testing.assert_allclose(vectors[16:], wanted[0], atol=1e-6)


def test_what_a_session_refuses_is_one_line(session: Any, pictures: NDArray[np.uint8]) -> None:
    held = Held(pictures[:, :1])
    with pytest.raises(ProfileError, match=r"can't be run: ") as refused:
        run_there(session, WANTED, "images", held, None, device="cpu")
    assert "\n" not in str(refused.value)
    assert running.reads_device_memory(_On("CUDAExecutionProvider"))
    assert not running.reads_device_memory(_On("NvTensorRTRTXExecutionProvider"))


class _On:
    def __init__(self, provider: str) -> None:
        self.provider = provider

    def get_providers(self) -> list[str]:
        return [self.provider, "CPUExecutionProvider"]
