"""The exercises of section 7.6: LeNet."""

from math import log

from d2lconv.exercise.data import Numbers, numbers, words

EXERCISES = (
    numbers(
        "7.6",
        1,
        "Larger images, no padding",
        "The first LeNet, of 1998, saw images of 32x32 and padded nothing. How high is an image "
        "after the first convolution of 5x5, the first pooling, the second convolution of 5x5, and "
        "the second pooling? The poolings have windows of 2x2 and stride 2.\n\n"
        "Answer with four numbers, such as `[32, 16, 16, 8]`.",
        "A kernel of 5x5 without padding takes four rows, and a pooling takes half.",
        "32 - 5 + 1 = 28, half of it is 14, 14 - 5 + 1 = 10, half of it is 5. From the first "
        "convolution on these are the sizes that we have: our padding of 2 makes 32x32 of 28x28.",
        code="answer = [32 - 4, 28 // 2, 14 - 4, 10 // 2]",
        asks=Numbers(
            "four numbers",
            [28, 14, 10, 5],
            "The same sizes that 28x28 with padding 2 gives.",
            (
                ([32, 16, 12, 6], "That is with padding 2 around the first images."),
                ([28, 27, 23, 22], "The poolings have stride 2: their windows do not overlap."),
                ([27, 13, 8, 4], "32 - 5 + 1 is 28: count the first place of the window, too."),
            ),
        ),
    ),
    numbers(
        "7.6",
        2,
        "Where the parameters are",
        "How many parameters do the five layers have that have any: the two convolutions with 6 "
        "and 16 kernels of 5x5, and the three dense layers with 120, 84 and 10 outputs? Every "
        "output has a bias.\n\nAnswer with five numbers, such as `[1, 2, 3, 4, 5]`.",
        "A kernel is a block: it has a sheet for every channel that comes in. And 400 numbers go "
        "into the first dense layer.",
        "(1 x 25 + 1) x 6 = 156, (6 x 25 + 1) x 16 = 2,416, (400 + 1) x 120 = 48,120, "
        "(120 + 1) x 84 = 10,164 and (84 + 1) x 10 = 850, together 61,706. More than three "
        "quarters of them are in one dense layer.",
        code="answer = [26 * 6, 151 * 16, 401 * 120, 121 * 84, 85 * 10]",
        asks=Numbers(
            "five numbers",
            [156, 2416, 48120, 10164, 850],
            "Together 61,706.",
            (
                ([150, 2400, 48000, 10080, 840], "Every output has a bias, too."),
                (
                    [156, 416, 48120, 10164, 850],
                    "Each kernel of the second convolution has a sheet for each of 6 channels.",
                ),
                (
                    [156, 2416, 3120, 10164, 850],
                    "Into the first dense layer go 16 sheets of 5x5, not one.",
                ),
            ),
        ),
    ),
    numbers(
        "7.6",
        3,
        "Where a number goes when all are flattened",
        "Behind the second pooling there are 16 channels of 5x5. Counted from 0, at which of 400 "
        "positions is the number of channel 3, row 2, column 1, if the order is (c, h, w)? And "
        "if it is (h, w, c)?\n\nAnswer with both positions, such as `[0, 1]`.",
        "The last letter runs fastest. How many numbers does a step of each of the others pass?",
        "With channels first a channel takes 25 positions and a row 5: 3 x 25 + 2 x 5 + 1 = 86. "
        "With channels last a pixel takes 16 positions and a row 80: (2 x 5 + 1) x 16 + 3 = 179.",
        code="""
        positions = [(c, h, w) for c in range(16) for h in range(5) for w in range(5)]
        others = [(c, h, w) for h in range(5) for w in range(5) for c in range(16)]
        answer = [positions.index((3, 2, 1)), others.index((3, 2, 1))]
        """,
        asks=Numbers(
            "two numbers",
            [86, 179],
            "The same number, at two positions.",
            (
                ([179, 86], "The other way round: the last letter runs fastest."),
                ([87, 180], "Count from 0."),
            ),
        ),
    ),
    numbers(
        "7.6",
        4,
        "Where the work is",
        "How many products of two numbers does one image of 28x28 take in each of the five layers "
        "of exercise 2? Leave the biases out.\n\nAnswer with five numbers, such as "
        "`[1, 2, 3, 4, 5]`.",
        "A convolution multiplies each of its weights once at every place of its output.",
        "28 x 28 places x 150 weights = 117,600, 10 x 10 places x 2,400 weights = 240,000, and a "
        "dense layer uses each weight once: 48,000, 10,080 and 840. The convolutions have 4% of "
        "the parameters and 86% of the products.",
        code="answer = [28 * 28 * 150, 10 * 10 * 2400, 400 * 120, 120 * 84, 84 * 10]",
        asks=Numbers(
            "five numbers",
            [117600, 240000, 48000, 10080, 840],
            "Nearly all of the work is where hardly any of the weights are.",
            (
                (
                    [117600, 40000, 48000, 10080, 840],
                    "The second convolution sums over 6 channels.",
                ),
                (
                    [86400, 240000, 48000, 10080, 840],
                    "With padding 2 the first output has 28x28 places, not 24x24.",
                ),
                (
                    [150, 2400, 48000, 10080, 840],
                    "Those are the weights. A kernel is used at every place.",
                ),
            ),
        ),
    ),
    numbers(
        "7.6",
        5,
        "The loss of who knows nothing",
        "A network that has learned nothing gives each of ten digits the same probability. What is "
        "the cross-entropy then? And if it gives the right digit one half?\n\n"
        "Answer with both numbers, such as `[1, 2]`.",
        "It is minus the natural logarithm of the probability that the right digit gets.",
        "-log(1/10) = 2.3026 and -log(1/2) = 0.6931. So a loss that stays close to 2.30 says that "
        "nothing has been learned yet.",
        code="""
        from math import log

        answer = [-log(1 / 10), -log(1 / 2)]
        """,
        asks=Numbers(
            "two numbers",
            [log(10), log(2)],
            "2.30 is the plateau of those who guess.",
            (
                ([1, 0.3010299956639812], "That is the logarithm of base 10."),
                ([0.1, 0.5], "Those are the probabilities. Take minus their logarithms."),
                ([-log(10), -log(2)], "It is minus the logarithm, and so positive."),
            ),
        ),
    ),
    words(
        "7.6",
        6,
        "Why sigmoid takes so long",
        "With sigmoid, the loss of LeNet stays on a plateau for many steps; with tanh or ReLU it "
        "falls at once. Why?\n\nAnswer with a few sentences.",
        "How large can the slope of sigmoid be? And how many of them does the gradient go through "
        "on its way to the first kernels?",
        "The slope of sigmoid is at most a quarter. On its way back to the first kernels the "
        "gradient goes through four of them, and so is divided by 256 at least, besides the "
        "weights: the first layers hardly move. Also, sigmoid gives numbers around one half, "
        "whatever comes in, so that in the beginning all images look alike to the last layer. "
        "The slope of tanh is up to 1, that of ReLU is 1 where anything passes, and both give 0 "
        "for 0.",
        points=(
            "The slope of sigmoid is at most 1/4, and slopes multiply from layer to layer.",
            "So the gradient that reaches the first layers is tiny.",
            "Its outputs lie around 1/2, not around 0.",
        ),
    ),
    words(
        "7.6",
        7,
        "A port that trains worse",
        "You have carried LeNet from one framework to another, weights and all. It runs, the "
        "shapes are the same, and it tells fewer digits. How do you find out why?\n\n"
        "Answer with what you would do first, and after that.",
        "Training hides the cause behind many steps. What is the least that can be compared?",
        "Do not train. Give both networks the same parameters and the same few images, and compare "
        "the output of each layer, each fed with the same input, from the first on; then the "
        "gradients, from the last back. The first one that differs by more than rounding explains "
        "is the culprit. Suspects: the order in which all is flattened, the layout of kernels and "
        "weights, what the padding is, whether biases and weights start alike, whether the loss "
        "takes logits or probabilities.",
        points=(
            "The same parameters and the same images in both; no training.",
            "Layer by layer: the first difference that rounding does not explain.",
            "Suspects: flattening and other layouts, padding, the start, what the loss takes.",
        ),
    ),
)
