"""The exercises of section 7.5: pooling."""

from d2lconv.exercise.data import Numbers, numbers, words

EXERCISES = (
    numbers(
        "7.5",
        1,
        "The mean as a convolution",
        "Average pooling with windows of 2x2 is a cross-correlation. With which kernel?\n\n"
        "Answer with the kernel, such as `[[1, 1], [1, 1]]`.",
        "Every pixel of the window counts the same.",
        "Every pixel counts a quarter, so that the four add up to their mean.",
        code="answer = [[1 / 4, 1 / 4], [1 / 4, 1 / 4]]",
        asks=Numbers(
            "a kernel of 2x2",
            [[0.25, 0.25], [0.25, 0.25]],
            "A quarter of each pixel.",
            (([[1, 1], [1, 1]], "That is the sum of the window, four times its mean."),),
        ),
    ),
    words(
        "7.5",
        2,
        "The maximum is none",
        "Why can no kernel, whatever its weights, compute max pooling?\n\nAnswer with an argument.",
        "Cross-correlation of a sum of two images is the sum of two cross-correlations. Find two "
        "images for which the maximum does not do that.",
        "A cross-correlation is linear: what it makes of a sum of two images is the sum of what it "
        "makes of each. The maximum is not: [1, 0] and [0, 1] have the maximum 1 each, and their "
        "sum [1, 1] has the maximum 1, not 2. So no kernel gives it.",
        points=(
            "A cross-correlation is linear.",
            "The maximum is not, and there is an example of two images, or of a negated one.",
        ),
    ),
    numbers(
        "7.5",
        3,
        "The maximum with ReLU",
        "With relu(x) = max(x, 0), the maximum of two numbers is relu(a - b) + b. Take a window's "
        "pixels in pairs, then the winners in pairs, and so on. How many such maxima does a window "
        "of 2x2 take, and in how many rounds? And a window of 3x3?\n\n"
        "Answer with (maxima, rounds) for both, such as `[[1, 1], [2, 2]]`.",
        "In a tournament, every match throws one out. How many must go?",
        "Each maximum throws one number out, so n numbers take n - 1: 3 and 8. Each round halves "
        "what is left, rounded up: 4, 2, 1 are two rounds, and 9, 5, 3, 2, 1 are four.",
        code="answer = [[3, 2], [8, 4]]",
        asks=Numbers(
            "two pairs of whole numbers",
            [[3, 2], [8, 4]],
            "One less than there are pixels, in rounds that halve what is left.",
            (
                ([[3, 2], [8, 3]], "Nine numbers are 9, 5, 3, 2, 1 after each round: four rounds."),
                ([[4, 2], [9, 4]], "Every maximum throws one number out, and one stays."),
            ),
        ),
    ),
    numbers(
        "7.5",
        4,
        "What pooling costs",
        "Max pooling of 6 channels of 28x28 with windows of 2x2 and stride 2. How many comparisons "
        "of two numbers does it take?\n\nAnswer with the number, such as `100`.",
        "How many windows are there, and how many comparisons does the largest of four take?",
        "6 x 14 x 14 = 1176 windows, and three comparisons in each: 3528. The layer of 5x5 before "
        "it in LeNet takes 117,600 products: pooling is cheap.",
        code="answer = 6 * 14 * 14 * 3",
        asks=Numbers(
            "a number",
            3528,
            "Three comparisons in each of 1176 windows.",
            (
                (4704, "The largest of four numbers takes three comparisons, not four."),
                (588, "Each of the six channels is pooled by itself."),
                (13122, "With stride 2 there are 14x14 windows in each channel, not 27x27."),
            ),
        ),
    ),
    words(
        "7.5",
        5,
        "Maximum or mean?",
        "What is kept by max pooling that average pooling loses, and the other way round?\n\n"
        "Answer with a few sentences.",
        "Take one bright pixel on black, and then a faint pattern everywhere.",
        "The maximum says whether something was found anywhere in the window: one strong response "
        "survives, whatever surrounds it, and the others count for nothing. The mean says how much "
        "there was altogether: one strong response is thinned out, and noise is averaged away. In "
        "learning, the gradient goes to the winner alone, or to all pixels equally.",
        points=(
            "The maximum keeps a single strong response, and ignores the rest.",
            "The mean tells the overall amount, and smooths noise.",
        ),
    ),
    numbers(
        "7.5",
        6,
        "The minimum, without a new layer",
        "There is no layer for the minimum. With max pooling and signs alone: what is the minimum "
        "of each window of 2x2 in X = [[0, 1, 2], [3, 4, 5], [6, 7, 8]]?\n\n"
        "Answer with the matrix of 2x2, such as `[[0, 0], [0, 0]]`.",
        "The smallest number becomes the largest if all signs change.",
        "Negate, take the maximum, negate again: min(x) = -max(-x).",
        code="""
        X = d2l.tensor([[0, -1, -2], [-3, -4, -5], [-6, -7, -8]])
        answer = -d2l.pool2d(X, (2, 2))
        """,
        asks=Numbers(
            "a matrix of 2x2",
            [[0, 1], [3, 4]],
            "It is the maximum of the negated image, negated.",
            (
                ([[4, 5], [7, 8]], "These are the largest numbers of the windows."),
                ([[0, -1], [-3, -4]], "That is the maximum of the negated image. Negate it again."),
            ),
        ),
    ),
    numbers(
        "7.5",
        7,
        "The two traps",
        "X = [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9, 10, 11], [12, 13, 14, 15]], windows of 3x3 with "
        "padding 1 and stride 2. What is the mean in the first window, without and with the zeros "
        "of the padding counted?\n\nAnswer with both numbers, such as `[1, 2]`.",
        "Four pixels of the image lie in the first window.",
        "The window holds 0, 1, 4 and 5, and five zeros from outside. Their sum is 10: divided by "
        "the four pixels 2.5, by all nine 1.11. Frameworks do not agree on which of these they "
        "mean.",
        code="answer = [10 / 4, 10 / 9]",
        asks=Numbers(
            "two numbers",
            [2.5, 10 / 9],
            "Ten, divided by four or by nine.",
            (
                ([10 / 9, 2.5], "The other way round: with the zeros counted it is less."),
                (
                    [5, 5],
                    "5 is the mean without padding. With padding the first window begins "
                    "outside of the image.",
                ),
            ),
        ),
    ),
    words(
        "7.5",
        8,
        "A soft maximum",
        "Weights that add up to 1 and are larger for larger pixels, as softmax gives, make a mean "
        "that is close to the maximum. Why does hardly anybody pool like that?\n\n"
        "Answer with a few sentences.",
        "What does it cost, and what does it depend on that the maximum does not?",
        "Each pixel takes an exponential, and each window a sum and quotients, where the maximum "
        "takes a comparison each, and the results are hardly better. It also depends on the "
        "scale of the numbers: the same image, twice as bright, is pooled differently, while the "
        "maximum just doubles. So there is one more thing to choose or to learn, a temperature.",
        points=(
            "Exponentials cost far more than comparisons.",
            "The result depends on the scale of the numbers, or gains little.",
        ),
    ),
)
