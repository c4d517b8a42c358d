"""Images: the photographs that are shipped, and pictures from files."""

import numpy as np
import pytest
from children import python
from frameworks import assert_same_bits
from PIL import Image

import d2lconv as dc
from d2lconv import ArgumentError


@pytest.fixture
def save(tmp_path):
    def write(pixels, name="image.png", mode=None, **options):
        path = tmp_path / name
        image = Image.fromarray(np.asarray(pixels))
        (image if mode is None else image.convert(mode)).save(path, **options)
        return path

    return write


@pytest.mark.parametrize("name", dc.photographs())
def test_a_photograph_has_the_same_bits_in_every_backend(d2l, name):
    X = d2l.photograph(name)
    assert type(X) is type(d2l.edge_image())
    X = d2l.to_numpy(X)
    assert X.shape == (128, 128)
    assert X.min() >= 0
    assert X.max() <= 1
    assert X.std() > 0.1  # there is something to see
    assert_same_bits(X, dc.photograph(name))


def test_every_photograph_has_a_source_and_is_free():
    for credit in dc.photographs().values():
        assert any(word in credit for word in ("CC0", "public domain", "no known copyright"))


def test_an_unknown_photograph_is_an_error_with_a_suggestion(d2l):
    with pytest.raises(ArgumentError, match="unknown photograph 'coin'; did you mean 'coins'"):
        d2l.photograph("coin")


def test_a_grey_picture_keeps_its_shades(d2l, save):
    shades = np.arange(256, dtype=np.uint8).reshape(8, 32)
    X = d2l.to_numpy(d2l.load_image(save(shades)))
    assert_same_bits(X, (shades / 255).astype(np.float32))
    in_colour = d2l.load_image(str(save(np.dstack([shades] * 3), "colour.png")))
    assert_same_bits(d2l.to_numpy(in_colour), X)


def test_a_colour_becomes_its_luminance(save):
    colours = np.eye(3, dtype=np.uint8)[None] * 255
    assert_same_bits(dc.load_image(save(colours)), np.float32([[0.299, 0.587, 0.114]]))


def test_rows_stay_rows(save):
    X = dc.load_image(save(np.arange(6, dtype=np.uint8).reshape(2, 3)))
    assert_same_bits(X, (np.arange(6).reshape(2, 3) / 255).astype(np.float32))


def test_sixteen_bits_keep_their_precision(save):
    X = dc.load_image(save(np.uint16([[0, 1, 65535]])))
    assert_same_bits(X, np.float32([[0, 1 / 65535, 1]]))


def test_what_is_transparent_lies_on_white(save):
    pixels = np.zeros((1, 2, 4), np.uint8)
    pixels[0, 1, 3] = 255
    assert dc.load_image(save(pixels)).tolist() == [[1, 0]]


def test_palettes_and_single_bits_are_read(save):
    pixels = np.uint8([[0, 255]])
    for mode in ("P", "1", "LA"):
        assert dc.load_image(save(pixels, mode=mode)).tolist() == [[0, 1]], mode


def test_a_jpeg_is_read_and_turned_upright(save):
    """JPEG changes shades a little; a black and a white half stay far apart."""
    pixels = np.zeros((16, 32), np.uint8)
    pixels[:, 16:] = 255
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned by 90 degrees clockwise
    X = dc.load_image(save(pixels, "photo.jpg", exif=exif))
    assert X.shape == (32, 16)
    assert X[:16].max() < 0.1
    assert X[16:].min() > 0.9


@pytest.mark.parametrize(
    "content", [b"", b"no image", b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff\xe0" + bytes(50)]
)
def test_a_file_that_is_no_image_is_an_error(tmp_path, content):
    path = tmp_path / "image.png"
    path.write_bytes(content)
    with pytest.raises(ArgumentError, match=r"image.png'\) is no image that can be read"):
        dc.load_image(path)


def test_a_truncated_image_is_an_error(save):
    noise = np.random.default_rng(0).integers(0, 255, (64, 64), np.uint8)
    path = save(noise)
    path.write_bytes(path.read_bytes()[:-2000])
    with pytest.raises(ArgumentError, match="is no image that can be read"):
        dc.load_image(path)


def test_a_path_that_leads_nowhere_is_an_error(tmp_path):
    for path in (tmp_path / "nothing.png", tmp_path, None, "a\0b.png"):
        with pytest.raises(ArgumentError, match="it must be the path of a picture"):
            dc.load_image(path)


def test_samples_of_32_bits_are_refused(save):
    path = save(np.float32([[0.5]]), "image.tiff")
    with pytest.raises(ArgumentError, match="samples of 32 bits"):
        dc.load_image(path)


def test_photographs_need_no_pillow_and_files_say_that_they_do():
    code = """
import sys
sys.modules["PIL"] = None
import d2lconv as dc
dc.photograph("coins")
try:
    dc.load_image("image.png")
except dc.ExtraNotInstalled as error:
    print(error)
"""
    assert 'needs PIL, which is not installed. Run: pip install "d2lconv[images]"' in (
        python(code).stdout
    )
