"""The distance in ulp, against stepping from one number to the next."""

import numpy as np
import pytest

from d2lconv.errors import DTypeError, ShapeError
from d2lconv.parity import same_bits, ulp_distance

TYPES = [np.float16, np.float32, np.float64]


@pytest.mark.parametrize("dtype", TYPES)
@pytest.mark.parametrize("start", [0.0, -0.0, 1.0, -1.0, "tiny", "-tiny", "max", "subnormal"])
@pytest.mark.parametrize("steps", [0, 1, 2, 17])
def test_it_counts_the_steps_between_neighbours(dtype, start, steps):
    info = np.finfo(dtype)
    subnormal = info.smallest_subnormal
    named = {"tiny": info.tiny, "-tiny": -info.tiny, "max": info.max, "subnormal": 5 * subnormal}
    a = b = dtype(named.get(start, start))
    for _ in range(steps):
        b = np.nextafter(b, dtype(-np.inf))
    assert ulp_distance(a, b) == ulp_distance(b, a) == steps


@pytest.mark.parametrize("dtype", TYPES)
def test_infinity_is_one_step_beyond_the_largest_number(dtype):
    largest = np.finfo(dtype).max
    assert ulp_distance(dtype(np.inf), largest) == 1
    assert ulp_distance(dtype(-np.inf), -largest) == 1
    everything = int(ulp_distance(dtype(np.inf), dtype(-np.inf)))
    assert everything == 2 * int(ulp_distance(dtype(np.inf), dtype(0)))


@pytest.mark.parametrize("dtype", TYPES)
def test_nan_is_near_to_nan_alone(dtype):
    nan, one = dtype(np.nan), dtype(1)
    assert ulp_distance(nan, -nan) == 0
    assert ulp_distance(nan, one) == ulp_distance(dtype(np.inf), nan) == 2**64 - 1


def test_float16_is_counted_completely():
    numbers = np.arange(0x7C01, dtype=np.uint16).view(np.float16)  # 0 to infinity, all of them
    np.testing.assert_array_equal(ulp_distance(numbers, np.zeros_like(numbers)), np.arange(0x7C01))


def test_same_bits_tells_signs_of_zero_apart_and_nans_not():
    assert same_bits(np.float32([0, np.nan]), np.float32([0, -np.float32(np.nan)]))
    assert not same_bits(np.float32([0]), np.float32([-0.0]))
    assert not same_bits(np.float32([1]), np.float64([1]))
    assert not same_bits(np.float32([1]), np.float32([[1]]))
    assert not same_bits(np.float32([np.nan]), np.float32([1]))


def test_only_one_floating_type_and_one_shape_can_be_compared():
    with pytest.raises(DTypeError, match="float32 and float64"):
        ulp_distance(np.float32(1), np.float64(1))
    with pytest.raises(DTypeError, match="int64"):
        ulp_distance(np.int64(1), np.int64(1))
    with pytest.raises(ShapeError, match=r"\(1,\) and \(2,\)"):
        ulp_distance(np.float32([1]), np.float32([1, 2]))
