"""Digits: those that are shipped, and IDX files, honest and hostile."""

import gzip
import os
import struct
import tracemalloc

import numpy as np
import pytest
from frameworks import assert_same_bits
from hypothesis import given
from hypothesis import strategies as st

import d2lconv as dc
from d2lconv import ArgumentError, mnist

PIXELS = np.random.default_rng(0).integers(0, 256, (5, 4, 3), np.uint8)
CLASSES = np.uint8([3, 1, 4, 1, 5])
IMAGES, LABELS = "train-images-idx3-ubyte", "train-labels-idx1-ubyte"
MiB = 2**20


def idx(array, *, shape=None):
    """The bytes of an IDX file, whose header may claim another shape."""
    shape = array.shape if shape is None else shape
    return bytes((0, 0, 8, len(shape))) + struct.pack(f">{len(shape)}I", *shape) + array.tobytes()


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder with labels, and a way to write images into it."""
    folder = tmp_path_factory.mktemp("idx")
    (folder / LABELS).write_bytes(idx(CLASSES))
    return folder


def load(folder, images):
    """What is read of a folder whose file of images has these bytes."""
    (folder / IMAGES).write_bytes(images)
    with dc.backend("numpy"):
        return dc.load_idx(folder)


def assert_same_labels(labels, expected):
    """Labels are a NumPy array of int64 in every backend."""
    assert type(labels) is np.ndarray
    assert labels.dtype == np.int64
    assert labels.tolist() == expected.tolist()


def peak(function, *args):
    """The most memory that was held by a call that ends in our error, in bytes."""
    tracemalloc.start()
    try:
        with pytest.raises(ArgumentError) as raised:
            function(*args)
        return tracemalloc.get_traced_memory()[1], str(raised.value)
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("train", [True, False])
def test_the_digits_have_the_same_bits_in_every_backend(d2l, train):
    images, labels = d2l.digits(train)
    assert type(images) is type(d2l.edge_image())
    expected, classes = dc.digits(train)
    assert_same_bits(d2l.to_numpy(images), expected)
    assert_same_labels(labels, classes)


def test_the_digits_are_four_thousand_and_one_thousand():
    (images, labels), (others, held_out) = dc.digits(), dc.digits(train=False)
    for X, y, n in ((images, labels, 4000), (others, held_out, 1000)):
        assert X.shape == (n, 1, 28, 28)
        assert X.dtype == np.float32
        assert (X.min(), X.max()) == (0, 1)
        assert y.shape == (n,)
        assert y.dtype == np.int64
    assert np.bincount(np.concatenate([labels, held_out])).tolist() == [500] * 10
    assert not {X.tobytes() for X in images} & {X.tobytes() for X in others}


def test_the_digits_look_like_their_labels():
    """The mean image of its class is the nearest one for most of the digits held out."""
    (images, labels), (others, held_out) = dc.digits(), dc.digits(train=False)
    means = np.stack([images[labels == k].mean(axis=0) for k in range(10)])
    distances = ((others[:, None] - means) ** 2).sum(axis=(2, 3, 4))
    assert (distances.argmin(axis=1) == held_out).mean() > 0.75


@pytest.mark.parametrize("train", ["no", 1, None])
def test_train_is_true_or_false(train, tmp_path):
    for call in (lambda: dc.digits(train), lambda: dc.load_idx(tmp_path, train)):
        with pytest.raises(ArgumentError, match="must be True, for what is learned from"):
            call()


@pytest.mark.parametrize("pack", [bytes, gzip.compress], ids=["plain", "packed"])
@pytest.mark.parametrize("end", ["", ".gz"])
@pytest.mark.parametrize(("train", "part"), [(True, "train"), (False, "t10k")])
def test_idx_files_are_read_whatever_their_name_says_of_packing(
    d2l, tmp_path, pack, end, train, part
):
    (tmp_path / f"{part}-images-idx3-ubyte{end}").write_bytes(pack(idx(PIXELS)))
    (tmp_path / f"{part}-labels-idx1-ubyte{end}").write_bytes(pack(idx(CLASSES)))
    images, labels = d2l.load_idx(str(tmp_path), train=train)
    assert type(images) is type(d2l.edge_image())
    assert_same_bits(d2l.to_numpy(images), (PIXELS[:, None] / 255).astype(np.float32))
    assert_same_labels(labels, CLASSES)


HEADER = "has a header for 5 x 4 x 3 bytes"
WRONG = {
    "nothing": (b"", "starts with , where 00000803"),
    "another rank": (idx(CLASSES), "starts with 00000801, where 00000803"),
    "another type": (b"\0\0\x0d\3" + idx(PIXELS)[4:], "starts with 00000d03"),
    "a web page": (b"<!DOCTYPE html>", "starts with 3c21444f"),
    "half a header": (idx(PIXELS)[:13], "ends in its header"),
    "no pixels": (idx(PIXELS)[:16], f"{HEADER}, and 0 follow"),
    "one too few": (idx(PIXELS)[:-1], f"{HEADER}, and 59 follow"),
    "one too many": (idx(PIXELS) + b"\0", f"{HEADER}, and (61|more) follow"),
    "no image": (idx(PIXELS[:0]), "0 x 4 x 3 bytes, so it is empty"),
    "flat images": (idx(PIXELS[:, :0]), "5 x 0 x 3 bytes, so it is empty"),
    "the largest sizes": (idx(PIXELS, shape=(2**32 - 1,) * 3), "has a header for 4294967295 x"),
    "too few labels": (idx(PIXELS[:4]), "has 4 images and 5 labels"),
}


@pytest.mark.parametrize("pack", [bytes, gzip.compress], ids=["plain", "packed"])
@pytest.mark.parametrize("what", WRONG)
def test_a_wrong_file_is_an_error_that_says_why(folder, what, pack):
    data, message = WRONG[what]
    with pytest.raises(ArgumentError, match=message):
        load(folder, pack(data))


@given(st.data())
def test_a_file_cut_anywhere_is_our_error(folder, data):
    whole = data.draw(st.sampled_from([idx(PIXELS), gzip.compress(idx(PIXELS))]))
    with pytest.raises(ArgumentError, match="whole file of MNIST"):
        load(folder, whole[: data.draw(st.integers(0, len(whole) - 1))])


@given(st.integers(0, 15), st.integers(1, 255))
def test_a_header_changed_anywhere_is_our_error(folder, place, change):
    damaged = bytearray(idx(PIXELS))
    damaged[place] ^= change
    with pytest.raises(ArgumentError):
        load(folder, bytes(damaged))


@given(st.data(), st.integers(1, 255))
def test_a_packed_file_changed_anywhere_gives_the_same_images_or_our_error(folder, data, change):
    damaged = bytearray(gzip.compress(idx(PIXELS), mtime=0))
    damaged[data.draw(st.integers(0, len(damaged) - 1))] ^= change
    try:
        images, _ = load(folder, bytes(damaged))
    except ArgumentError:
        return
    assert_same_bits(images, (PIXELS[:, None] / 255).astype(np.float32))


@given(st.binary(), st.sampled_from([b"", idx(PIXELS)[:8], b"\x1f\x8b", b"\x1f\x8b\x08\0"]))
def test_any_other_bytes_are_our_error(folder, data, start):
    with pytest.raises(ArgumentError):
        load(folder, start + data)


@pytest.mark.parametrize("pack", [bytes, gzip.compress], ids=["plain", "packed"])
def test_a_header_that_lies_takes_no_memory(folder, pack):
    held, message = peak(load, folder, pack(idx(PIXELS, shape=(300_000, 28, 28))))
    assert "and 60 follow" in message
    assert held < 4 * MiB


def test_what_unpacks_to_more_than_its_header_says_takes_no_memory(folder):
    bomb = gzip.compress(idx(PIXELS) + bytes(64 * MiB))
    held, message = peak(load, folder, bomb)
    assert "and more follow" in message
    assert held < 4 * MiB


def test_what_unpacks_to_as_much_as_it_says_is_refused_where_that_is_too_much(folder):
    bomb = gzip.compress(idx(np.zeros((64, 1024, 1024), np.uint8), shape=(512, 1024, 1024)))
    held, message = peak(load, folder, bomb)
    assert f"may have {mnist.LIMIT} at most" in message
    assert held < 4 * MiB


def test_a_folder_without_the_files_is_an_error(tmp_path):
    (tmp_path / IMAGES).mkdir()  # of that name, and no file
    os.mkfifo(tmp_path / f"{IMAGES}.gz")  # to open it would wait for ever
    for place in (tmp_path, str(tmp_path), "none", "a\0b", "x" * 5000):
        with pytest.raises(ArgumentError, match="has no file train-images-idx3-ubyte"):
            dc.load_idx(place)


@pytest.mark.parametrize("place", [None, 3, ["a"], b"folder"])
def test_a_folder_is_a_path(place):
    with pytest.raises(ArgumentError, match="must be the path of a folder"):
        dc.load_idx(place)
