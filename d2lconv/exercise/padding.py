"""The exercises of section 7.3: padding and strides."""

from d2lconv.exercise.data import Numbers, numbers, words

EXERCISES = (
    numbers(
        "7.3",
        1,
        "The size of an output",
        "An image of 8x8, a kernel of (3, 5), padding (0, 1), which is one column of zeros on each "
        "side and no row, stride (3, 4). What is the shape of the output?\n\n"
        "Answer with the height and the width, such as `[8, 8]`.",
        "Do the two directions one after the other. How many places are there with stride 1, and "
        "how many of them are visited?",
        "Down: 8 - 3 + 1 = 6 places, of which every third is visited, the first one included: 2. "
        "Across: 8 + 2 - 5 + 1 = 6 places, of which every fourth is visited: the first and the "
        "fifth, 2.",
        code="""
        def size(n, k, padding, stride):
            return (n + 2 * padding - k) // stride + 1

        answer = [size(8, 3, 0, 3), size(8, 5, 1, 4)]
        """,
        asks=Numbers(
            "a height and a width",
            [2, 2],
            "Six places each way, and two of them are visited.",
            (
                (
                    [2, 1],
                    "That is the size without the padding: 8 - 5 + 1 = 4 places across, of which "
                    "the stride visits one. With a column of zeros on each side there are six.",
                ),
                ([6, 6], "So many places there are with stride 1. The stride leaves some out."),
                (
                    [6, 4],
                    "So many places there are with stride 1 and without padding. One column of "
                    "zeros stands on each side, and the stride leaves some out.",
                ),
            ),
        ),
    ),
    numbers(
        "7.3",
        2,
        'What "same" pads',
        'With n pixels in a row, a kernel of width k and stride s, the padding "same" of '
        "TensorFlow and JAX makes ceil(n / s) outputs, and puts the odd zero at the end. How many "
        "zeros stand before, and how many after?\n\n"
        "Answer with a function that takes n, k and s and gives the pair (before, after); or with "
        "the list of pairs that it gives for (8, 3, 2), (5, 3, 2), (5, 2, 2), (3, 2, 1) and "
        "(4, 1, 2), such as `[[1, 1], [0, 0], ...]`.",
        "Where does the last window begin, where does it end, and how far is that beyond the last "
        "pixel?",
        "The last window begins at (ceil(n / s) - 1) * s and is k long. What sticks out beyond n "
        "is the number of zeros. If it is odd, the end gets one more.",
        code="""
        def answer(n, k, s):
            zeros = max((-(-n // s) - 1) * s + k - n, 0)
            return zeros // 2, zeros - zeros // 2
        """,
        asks=Numbers(
            "a function, or the pairs that it gives for the five samples",
            [[0, 1], [1, 1], [0, 1], [0, 1], [0, 0]],
            "The zeros are as many as the last window sticks out, and the odd one stands at the "
            "end.",
            (
                (
                    [[1, 0], [1, 1], [1, 0], [1, 0], [0, 0]],
                    "So many zeros are right, but the odd one stands at the end, not at the "
                    "beginning.",
                ),
                (
                    [[1, 1], [1, 1], [0, 1], [0, 1], [0, 0]],
                    "For (8, 3, 2), k - 1 zeros are one too many: the last window begins at 6 and "
                    "ends at 8, one beyond the last pixel. The stride counts too.",
                ),
            ),
            tuple(
                (f"n = {n}, k = {k}, s = {s}", (n, k, s))
                for n, k, s in ((8, 3, 2), (5, 3, 2), (5, 2, 2), (3, 2, 1), (4, 1, 2))
            ),
        ),
    ),
    words(
        "7.3",
        3,
        "Stride 2 in a sound",
        "A recording is a long row of samples, so many in a second. What does a kernel with stride "
        "2 do to it?\n\nAnswer with a few sentences.",
        "How many samples in a second does the output have? Which tones need more than that?",
        "The output has half as many samples in a second: it is the filtered sound at half the "
        "sampling rate. A rate can hold tones up to half of it, so the highest octave is lost. If "
        "the kernel does not remove that octave before every second sample is dropped, its tones "
        "come back as lower ones that nobody played, which is called aliasing.",
        points=(
            "The output has half the sampling rate.",
            "The highest tones cannot be represented any more.",
            "They turn into wrong lower ones unless the kernel filters them out.",
        ),
    ),
    numbers(
        "7.3",
        4,
        "Padding with a mirror",
        "A frame of zeros is one choice. Another is a mirror: beyond the border, the image goes on "
        "as if the border pixels were the mirror, so that they are not repeated themselves. The "
        "row 1 2 3 becomes 2 1 2 3 2. What becomes of X = [[1, 2, 3], [4, 5, 6], [7, 8, 9]] with "
        "one such row or column on each side?\n\n"
        "Answer with the matrix of 5x5, such as `[[0, 0, 0, 0, 0], ...]`.",
        "First all rows, then all columns of what you have. The corners come by themselves.",
        "Index -1 shows what index 1 shows, and index 3 what index 1 shows: the mirror. In NumPy "
        'this is np.pad with mode="reflect".',
        code="""
        import numpy as np

        answer = np.pad(np.array([[1, 2, 3], [4, 5, 6], [7, 8, 9]]), 1, mode="reflect")
        """,
        asks=Numbers(
            "a matrix of 5x5",
            [[5, 4, 5, 6, 5], [2, 1, 2, 3, 2], [5, 4, 5, 6, 5], [8, 7, 8, 9, 8], [5, 4, 5, 6, 5]],
            "Every border pixel is the mirror, and stands there once.",
            (
                (
                    [
                        [1, 1, 2, 3, 3],
                        [1, 1, 2, 3, 3],
                        [4, 4, 5, 6, 6],
                        [7, 7, 8, 9, 9],
                        [7, 7, 8, 9, 9],
                    ],
                    "That repeats the border pixels. Here they are the mirror, so the first pixel "
                    "beyond the border is the second one of the image.",
                ),
                (
                    [
                        [9, 7, 8, 9, 7],
                        [3, 1, 2, 3, 1],
                        [6, 4, 5, 6, 4],
                        [9, 7, 8, 9, 7],
                        [3, 1, 2, 3, 1],
                    ],
                    "That continues the image from its other side, like wallpaper, and is no "
                    "mirror.",
                ),
            ),
        ),
    ),
    numbers(
        "7.3",
        5,
        "What a stride saves",
        "An image of 224x224, a kernel of 7x7, three rows and columns of zeros on each side. How "
        "many products of a pixel and a weight are there with stride 1, and how many with stride "
        "2?\n\nAnswer with both numbers, such as `[100, 50]`; zeros count as pixels.",
        "Each output element costs 49 products. How many output elements are there?",
        "224 x 224 outputs at stride 1, and 112 x 112 at stride 2, each of 49 products: a quarter "
        "of the work, and a quarter of the memory for what comes next.",
        code="answer = [224 * 224 * 49, 112 * 112 * 49]",
        asks=Numbers(
            "two numbers",
            [2458624, 614656],
            "Half as many rows and half as many columns: a quarter of the work.",
            (
                (
                    [2458624, 1229312],
                    "Half as many rows and half as many columns: that is a quarter, not a half.",
                ),
            ),
        ),
    ),
    words(
        "7.3",
        6,
        "What a stride does to learning",
        "Besides saving time: what can a stride above 1 do for, or to, what a network learns?\n\n"
        "Answer with a few sentences.",
        "Neighbouring windows share most of their pixels. What do their outputs look like?",
        "Neighbouring windows overlap, so neighbouring outputs say nearly the same; dropping some "
        "loses little. Layers behind a stride see more of the image with equally small kernels, "
        "and have fewer numbers from which to learn accidents by heart. The price is that fine "
        "detail and exact places are lost, and that a shift by one pixel may change the output "
        "entirely.",
        points=(
            "Neighbouring outputs are redundant, so little is lost.",
            "What follows sees more of the image, or has fewer numbers to overfit with.",
            "Exact places, or fine detail, are lost.",
        ),
    ),
    numbers(
        "7.3",
        7,
        "A stride of one half",
        "A stride of 2 makes the image half as large. To go the other way, put a zero between all "
        "neighbours, and then use stride 1: a stride of 1/2. What becomes of the row [1, 2, 3] "
        "with the kernel [0.5, 1, 0.5] and one zero on each side?\n\n"
        "Answer with the five numbers, such as `[0, 0, 0, 0, 0]`.",
        "With the zeros, the row is 0 1 0 2 0 3 0.",
        "At a pixel, the kernel's 1 finds it and the halves find zeros. Between two pixels, the "
        "halves find both: their mean. That is linear interpolation, and such layers, which are "
        "called transposed convolutions, make images larger.",
        code="""
        row = d2l.tensor([[1, 0, 2, 0, 3]])
        answer = d2l.corr2d(row, [[0.5, 1, 0.5]], padding=(0, 1))
        """,
        asks=Numbers(
            "five numbers",
            [1, 1.5, 2, 2.5, 3],
            "Between the pixels stand their means.",
            (
                (
                    [2, 4, 4],
                    "That is the row without zeros between its pixels: 0 1 2 3 0.",
                ),
            ),
        ),
    ),
)
