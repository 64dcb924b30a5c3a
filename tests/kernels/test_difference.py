"""Every kernel gives the integers of the NumPy definition, for any picture however it lies."""

from __future__ import annotations

import threading

import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from tempo_kernels import available, block_differences, compare, variation
from tempo_kernels.difference import FULL, LARGEST_BLOCK, NOISE
from tempo_kernels.reference import sum_absolute_differences

Plane = NDArray[np.unsignedinteger]
DEPTHS = (8, 9, 10, 12, 16)
KERNELS = ("native", "numba-cpu", "lanes")

sides = st.integers(1, 70)


def plane(seed: int, height: int, width: int, depth: int, padding: int) -> Plane:
    """A random picture in rows with padding beside them, as decoders lay them."""
    dtype = np.uint8 if depth == 8 else np.uint16
    rng = np.random.default_rng(seed)
    rows = rng.integers(0, 2**depth, (height, width + padding), dtype=dtype)
    rows[:, width:] = 2**depth - 1  # a kernel that reads it gets caught
    return rows[:, :width]


def by_hand(previous: Plane, current: Plane, block: int, depth: int) -> NDArray[np.float64]:
    """The definition once more, block by block."""
    height, width = current.shape
    difference = np.abs(current.astype(np.int64) - previous.astype(np.int64))
    grid = np.zeros((-(-height // block), -(-width // block)))
    for row, column in np.ndindex(*grid.shape):
        area = np.s_[row * block : (row + 1) * block, column * block : (column + 1) * block]
        grid[row, column] = difference[area].mean()
    return grid / (2**depth - 1)


pytestmark = pytest.mark.usefixtures("compiled")

# One library serves all examples of a test.
many = settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])


@many
@given(
    seed=st.integers(0, 10**6),
    height=sides,
    width=sides,
    depth=st.sampled_from(DEPTHS),
    paddings=st.tuples(st.integers(0, 40), st.integers(0, 40)),
    block=st.integers(1, 80) | st.sampled_from([8, 16, 24, 32, 48]),
    size=st.none() | st.tuples(st.integers(1, 90), st.integers(1, 90)),
    parallel=st.booleans(),
)
@example(0, 1, 1, 8, (0, 0), 16, (1, 1), False)
@example(0, 16, 16, 16, (5, 0), 16, None, True)
@example(0, 143, 175, 8, (17, 33), 16, (28, 28), True)
@example(0, 64, 64, 8, (0, 0), 48, (3, 3), True)
def test_kernels_agree(
    seed: int,
    height: int,
    width: int,
    depth: int,
    paddings: tuple[int, int],
    block: int,
    size: tuple[int, int] | None,
    parallel: bool,
) -> None:
    previous = plane(seed, height, width, depth, paddings[0])
    current = plane(seed + 1, height, width, depth, paddings[1])
    options = {"block": block, "bit_depth": depth, "thumbnail": size, "parallel": parallel}
    numpy = compare(previous, current, kernel="numpy", **options)  # type: ignore[arg-type]
    for kernel in KERNELS:
        found = compare(previous, current, kernel=kernel, **options)  # type: ignore[arg-type]
        np.testing.assert_array_equal(found.differences, numpy.differences)
        assert (found.thumbnail is None) == (numpy.thumbnail is None) == (size is None)
        if size is not None:
            np.testing.assert_array_equal(found.thumbnail, numpy.thumbnail)
            assert found.thumbnail is not None and found.thumbnail.dtype == current.dtype
            assert found.thumbnail.shape == (min(size[0], height), min(size[1], width))
    expected = by_hand(previous, current, block, depth)
    np.testing.assert_allclose(numpy.differences, expected, rtol=1e-6)
    assert numpy.differences.dtype == np.float32
    assert numpy.differences.min() >= 0 and numpy.differences.max() <= 1


def test_a_thumbnail_is_the_rounded_mean_of_what_its_cells_cover() -> None:
    picture = np.array([[0, 1, 10], [2, 3, 11], [255, 255, 0]], np.uint8)
    found = compare(picture, picture, thumbnail=(2, 2), kernel="numpy").thumbnail
    # Cells end at the first row and column: 0; (1 + 10) / 2; (2 + 255) / 2; (3 + 11 + 255) / 4.
    assert found is not None and found.tolist() == [[0, 6], [129, 67]]


LAYOUTS = {
    "crop": lambda a: a[3:40, 5:44],
    "turned": lambda a: np.rot90(a),
    "transposed": lambda a: a.T,
    "upside down": lambda a: a[::-1],
    "mirrored": lambda a: a[:, ::-1],
    "every second": lambda a: a[::2, ::2],
    "one row, many times": lambda a: np.broadcast_to(a[:1], a.shape),
    "column order": lambda a: np.asfortranarray(a),
    "read only": lambda a: _frozen(a),
}


def _frozen(plane: Plane) -> Plane:
    plane = plane.copy()
    plane.flags.writeable = False
    return plane


@pytest.mark.parametrize("kernel", KERNELS)
@pytest.mark.parametrize("parallel", [False, True])
@pytest.mark.parametrize("depth", [8, 10])
@pytest.mark.parametrize("layout", LAYOUTS)
def test_any_layout_will_do(layout: str, depth: int, parallel: bool, kernel: str) -> None:
    lay = LAYOUTS[layout]
    previous, current = (lay(plane(seed, 60, 60, depth, 4)) for seed in (1, 2))
    size = 7, 9
    found = compare(
        previous, current, bit_depth=depth, thumbnail=size, parallel=parallel, kernel=kernel
    )
    flat = np.ascontiguousarray(previous), np.ascontiguousarray(current)
    expected = compare(*flat, bit_depth=depth, thumbnail=size, kernel="numpy")
    np.testing.assert_array_equal(found.differences, expected.differences)
    np.testing.assert_array_equal(found.thumbnail, expected.thumbnail)


def test_samples_that_lie_askew_in_memory() -> None:
    """Sixteen bits from an odd address, in rows of an odd number of bytes."""
    raw = np.random.default_rng(5).integers(0, 256, 41 * 101 + 1, dtype=np.uint8)
    skewed = np.ndarray((40, 50), np.uint16, raw, offset=1, strides=(101, 2))
    flat = np.zeros((40, 50), np.uint16)
    expected = block_differences(flat, skewed.copy(), bit_depth=16, kernel="numpy")
    for kernel in KERNELS:
        found = block_differences(flat, skewed, bit_depth=16, kernel=kernel)
        np.testing.assert_array_equal(found, expected)


def test_extremes_do_not_overflow() -> None:
    for dtype, depth in ((np.uint8, 8), (np.uint16, 16)):
        dark = np.zeros((1200, 64), dtype)
        light = np.full((1200, 64), np.iinfo(dtype).max, dtype)
        for kernel in ("numpy", *KERNELS):
            for pair in ((dark, light), (light, dark)):
                found = block_differences(*pair, block=1200, bit_depth=depth, kernel=kernel)
                np.testing.assert_array_equal(found, [[1.0]])


def test_a_column_sum_holds_the_largest_block() -> None:
    shape = (LARGEST_BLOCK, 2)
    dark, light = np.zeros(shape, np.uint16), np.full(shape, 65_535, np.uint16)
    for kernel in KERNELS:
        found = compare(
            dark, light, block=LARGEST_BLOCK, bit_depth=16, thumbnail=(1, 1), kernel=kernel
        )
        np.testing.assert_array_equal(found.differences, [[1.0]])
        np.testing.assert_array_equal(found.thumbnail, [[65_535]])


def test_a_cell_of_the_thumbnail_may_be_taller_than_a_column_sum_holds() -> None:
    tall = np.full((70_000, 1), 65_535, np.uint16)
    for kernel in KERNELS:
        found = compare(tall, tall, bit_depth=16, thumbnail=(1, 1), kernel=kernel)
        np.testing.assert_array_equal(found.thumbnail, [[65_535]])


def test_threads_may_call_at_once() -> None:
    previous, current = plane(1, 300, 400, 8, 0), plane(2, 300, 400, 8, 0)
    expected = block_differences(previous, current, kernel="numpy")
    found: list[bool] = []

    def work(parallel: bool) -> None:
        for turn in range(20):
            kernel = KERNELS[turn % len(KERNELS)]
            grid = block_differences(previous, current, parallel=parallel, kernel=kernel)
            found.append(bool((grid == expected).all()))

    threads = [threading.Thread(target=work, args=(number % 2 == 0,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [True] * 80


def test_the_reference_sums() -> None:
    previous = np.array([[0, 0, 5], [10, 0, 0]], np.uint8)
    current = np.array([[1, 2, 0], [0, 255, 9]], np.uint8)
    sums = sum_absolute_differences(previous, current, 2)
    np.testing.assert_array_equal(sums, [[1 + 2 + 10 + 255, 5 + 9]])


# -- arguments that are wrong ------------------------------------------------------------------

GOOD = np.zeros((4, 4), np.uint8)


@pytest.mark.parametrize(
    ("previous", "current", "options", "text"),
    [
        (GOOD.astype(np.float32), GOOD, {}, "previous has dtype float32, allowed are uint8 and"),
        (GOOD, GOOD.astype(np.int16), {}, "current has dtype int16, allowed are uint8 and"),
        (GOOD[0], GOOD, {}, r"previous has shape \(4,\), allowed is \[height, width\] > 0"),
        (GOOD, GOOD[:0], {}, r"current has shape \(0, 4\), allowed is"),
        (GOOD, GOOD[:3], {}, r"previous is uint8\(4, 4\), current is uint8\(3, 4\): they must"),
        (GOOD, GOOD.astype(np.uint16), {}, r"current is uint16\(4, 4\): they must agree"),
        (GOOD, GOOD, {"block": 0}, r"block 0 must be within \[1, 32768\]"),
        (GOOD, GOOD, {"block": 40_000}, r"block 40000 must be within \[1, 32768\]"),
        (GOOD, GOOD, {"bit_depth": 0}, r"bit_depth 0 must be within \[1, 8\]"),
        (GOOD, GOOD, {"bit_depth": 10}, r"bit_depth 10 must be within \[1, 8\]"),
        (GOOD, GOOD, {"kernel": "cuda"}, r"kernel 'cuda' must be one of \['lanes', 'native', "),
        (GOOD, GOOD, {"thumbnail": (0, 4)}, r"thumbnail \(0, 4\) must have at least one row"),
    ],
)
def test_wrong_arguments_are_named(
    previous: Plane, current: Plane, options: dict[str, object], text: str
) -> None:
    with pytest.raises(ValueError, match=text):
        compare(previous, current, **options)  # type: ignore[arg-type]


def test_a_sample_of_foreign_byte_order_is_refused_or_right() -> None:
    swapped = np.arange(16, dtype=np.uint16).reshape(4, 4).astype(">u2")
    plain = swapped.astype(np.uint16)
    zero = np.zeros((4, 4), np.uint16)
    try:
        found = block_differences(zero, swapped, bit_depth=16)
    except ValueError as error:
        assert "current" in str(error)
    else:
        np.testing.assert_array_equal(found, block_differences(zero, plain, bit_depth=16))


# -- variation ---------------------------------------------------------------------------------


def test_variation_of_a_still_is_nothing_and_of_a_new_picture_one() -> None:
    assert variation(np.zeros((3, 3), np.float32)) == 0.0
    assert variation(np.full((3, 3), NOISE, np.float32)) == pytest.approx(0, abs=1e-7)
    assert variation(np.full((3, 3), FULL + NOISE, np.float32)) == pytest.approx(1)
    assert variation(np.ones((3, 3), np.float32)) == 1.0


@given(st.lists(st.floats(0, 1, width=32), min_size=1, max_size=40), st.floats(0, 0.5, width=32))
def test_variation_rises_with_every_block(values: list[float], more: float) -> None:
    grid = np.array([values], np.float32)
    low, high = variation(grid), variation(np.minimum(grid + np.float32(more), 1))
    assert 0.0 <= low <= high + 1e-6 <= 1.0 + 1e-6


def test_grain_adds_up_to_nothing() -> None:
    rng = np.random.default_rng(9)
    scene = rng.integers(40, 200, (240, 320))
    noisy = [
        np.clip(scene + rng.normal(0, 1.2, scene.shape), 0, 255).astype(np.uint8) for _ in "ab"
    ]
    assert variation(block_differences(*noisy)) < 0.004


def test_what_can_run_is_told() -> None:
    live = available()
    assert live["native"] and live["numba-cpu"] and live["numpy"]
    assert live["lanes"]
    assert set(live) == {"native", "numba-cpu", "lanes", "numpy", "cuda", "numba-cuda"}
