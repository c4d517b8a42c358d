"""The exercises of section 7.4: several input and output channels."""

from d2lconv.exercise.data import Numbers, numbers, words

EXERCISES = (
    numbers(
        "7.4",
        1,
        "Two layers in one",
        "Two kernels, k1 and k2 pixels high, one after the other and nothing between them, do what "
        "one kernel does. How high is that one?\n\n"
        "Answer with a function that takes k1 and k2 and gives the height; or with the list of "
        "heights for (3, 3), (3, 5), (1, 4) and (2, 2), such as `[1, 2, 3, 4]`.",
        "How many rows of the image does one element of the second output see?",
        "One element of the second output sees k2 rows of the first one, and these see "
        "k1 + k2 - 1 rows of the image. The one kernel is the full "
        "convolution of the two.",
        code="""
        def answer(k1, k2):
            return k1 + k2 - 1
        """,
        asks=Numbers(
            "a function, or the four heights that it gives",
            [5, 7, 4, 3],
            "The second layer adds k2 - 1 rows to what the first one sees.",
            (
                ([6, 8, 5, 4], "One row too many: the two windows share a row."),
                ([9, 15, 4, 4], "These are products. Each layer adds to what is seen."),
            ),
            tuple((f"k1 = {a}, k2 = {b}", (a, b)) for a, b in ((3, 3), (3, 5), (1, 4), (2, 2))),
        ),
    ),
    words(
        "7.4",
        2,
        "And back again",
        "Can every kernel of 5x5 be taken apart into two of 3x3, one after the other?\n\n"
        "Answer with yes or no, and why.",
        "Count the weights on both sides.",
        "No. Two kernels of 3x3 have 18 weights, and one of these can be fixed, because a factor "
        "may move from one kernel to the other without any change. So they reach 17 dimensions of "
        "the 25 that kernels of 5x5 have: almost none of these can be taken apart.",
        points=(
            "No.",
            "Two kernels of 3x3 have 18 weights at most, one of 5x5 has 25.",
        ),
    ),
    numbers(
        "7.4",
        3,
        "What a layer costs",
        "A layer from 3 channels to 16, with kernels of 5x5, padding 2 and stride 1, on an image "
        "of 32x32, without a bias. How many multiplications are there, and how many additions?\n\n"
        "Answer with both numbers, such as `[100, 99]`; zeros are multiplied too.",
        "Each output element is a sum of so many products. To add up n numbers takes how many "
        "additions?",
        "16 x 32 x 32 outputs, each the sum of 3 x 5 x 5 = 75 products: 75 multiplications and 74 "
        "additions each.",
        code="answer = [16 * 32 * 32 * 75, 16 * 32 * 32 * 74]",
        asks=Numbers(
            "two numbers",
            [1228800, 1212416],
            "75 products for each output element, and one addition less.",
            (
                ([1228800, 1228800], "To add up 75 numbers takes 74 additions."),
                (
                    [409600, 393216],
                    "Every output channel looks at all three input channels: 75 products, not 25.",
                ),
                ([76800, 75776], "There are 16 output channels, and each has kernels of its own."),
            ),
        ),
    ),
    numbers(
        "7.4",
        4,
        "Twice as much of everything",
        "By what factor does the number of multiplications grow if a layer gets twice as many "
        "input and twice as many output channels? And by what factor if an image of 32x32 gets a "
        "padding of 2 instead of 1, with a kernel of 3x3?\n\nAnswer with both factors, such as "
        "`[1, 1.5]`.",
        "What is the size of the output, before and after?",
        "Every output channel looks at every input channel: 2 x 2 = 4. The outputs grow from 32x32 "
        "to 34x34, by a factor of 34 x 34 / (32 x 32), about 1.13.",
        code="answer = [4, 34**2 / 32**2]",
        asks=Numbers(
            "two factors",
            [4, 1.12890625],
            "Four times for the channels, and an eighth more for the padding.",
            (
                ([2, 1.12890625], "Every output channel looks at every input channel."),
                ([4, 1], "The output grows from 32x32 to 34x34."),
                ([4, 2], "The padding doubles, the output does not: 34x34 instead of 32x32."),
            ),
        ),
    ),
    words(
        "7.4",
        5,
        "Exactly the same?",
        "A kernel of 1x1 can be computed as a sum over channels, pixel by pixel, or as one product "
        "of matrices. Are the results exactly the same?\n\nAnswer with a few sentences.",
        "Both are sums of the same products. In which order are they added?",
        "In exact arithmetic yes, on a computer not always. Both add the same products, but a "
        "product of matrices adds them in an order of its own, in blocks, and may fuse a product "
        "with a sum. Every sum is rounded, so the last digits can differ. The difference is "
        "bounded by the number of products, and where the sums are exact, as of small whole "
        "numbers, there is none.",
        points=(
            "The same products are added.",
            "The order of the additions differs, and each is rounded.",
            "So the last digits may differ, within a bound, and do not for small whole numbers.",
        ),
    ),
    numbers(
        "7.4",
        6,
        "Any kernel as a product of matrices",
        "An image with 2 channels of 3x3 and a layer with 3 output channels and kernels of 2x2 "
        "shall become one product of two matrices, (weights) times (windows). Which shapes do the "
        "two have?\n\nAnswer with both shapes, such as `[[1, 2], [2, 3]]`.",
        "A row of the first matrix has all weights of one output channel. A column of the second "
        "has all that one window sees.",
        "3 output channels with 2 x 2 x 2 = 8 weights each, times 8 numbers in each of 2 x 2 = 4 "
        "windows.",
        code="answer = [[3, 2 * 2 * 2], [2 * 2 * 2, 2 * 2]]",
        asks=Numbers(
            "two shapes",
            [[3, 8], [8, 4]],
            "The product is (3, 4): three channels of four elements.",
            (
                ([[3, 4], [4, 4]], "A window sees both channels: 8 numbers, not 4."),
                ([[4, 8], [8, 3]], "That is (windows) times (weights), the transposed product."),
                ([[3, 8], [8, 9]], "There are four windows of 2x2 in an image of 3x3."),
            ),
        ),
    ),
    numbers(
        "7.4",
        7,
        "Moving the channels",
        "This image has two channels of 2x2, channels first: "
        "[[[1, 2], [3, 4]], [[5, 6], [7, 8]]]. Write it with the channels last: (height, width, "
        "channel).\n\nAnswer with the nested lists, such as `[[[0, 0], [0, 0]], [[0, 0], [0, "
        "0]]]`.",
        "What are the two numbers at the upper left pixel?",
        "At each pixel stand its numbers in both channels: 1 and 5, 2 and 6, 3 and 7, 4 and 8. "
        "It is a transposition of three axes. A reshape to the same shape leaves all numbers "
        "where they are, and makes pixels of what are rows.",
        code="""
        import numpy as np

        answer = np.array([[[1, 2], [3, 4]], [[5, 6], [7, 8]]]).transpose(1, 2, 0)
        """,
        asks=Numbers(
            "nested lists of the shape (2, 2, 2)",
            [[[1, 5], [2, 6]], [[3, 7], [4, 8]]],
            "At each pixel stand its numbers in both channels.",
            (
                (
                    [[[1, 2], [3, 4]], [[5, 6], [7, 8]]],
                    "That is a reshape: the shape is right, and a pixel now has two neighbours of "
                    "one channel for its channels. Nothing complains, which is the trap.",
                ),
                (
                    [[[1, 5], [3, 7]], [[2, 6], [4, 8]]],
                    "The channels stand last, but rows and columns have changed places.",
                ),
            ),
        ),
    ),
)
