"""The page reads what a reader types as Python does, and says of it what `dc.check` says."""

import ast
import math
import re
import warnings
from textwrap import dedent

import numpy as np
import pytest
from answers import ANSWERS, garbage, in_python, is_data, numbers, plain
from javascript import judged, script
from test_exercises import RIGHT, WRONG

import d2lconv as dc
from d2lconv import ArgumentError, UnknownBackend, widgets
from d2lconv.widgets.pages import STATES

COUNT = 300  # random answers to each exercise
COUNTS = {"1a": 1000}  # stairs come in many shapes

READ = """
return texts.map((text) => {
  try {
    return ["value", repr(parse(text))];
  } catch (error) {
    return [error.constructor.name, error.message, error.place ?? null];
  }
});
"""


def read(texts):
    """What the page reads in texts, as Python's repr, or what keeps it from reading."""
    return script(widgets.module("exercises"), READ, texts=texts)


def compared(name, answers):
    """The verdicts on answers, after those of the page and of Python have been found to agree."""
    here = [in_python(name, answer) for answer in answers]
    there = judged(name, [repr(answer) for answer in answers])
    different = [
        (answer, python, page)
        for answer, python, page in zip(answers, here, there, strict=True)
        if python != page
    ]
    assert different[:3] == []
    return here


NO_MATRIX = ["data is ragged", "data holds text", "data holds NoneType", "data holds dict"]
NO_MATRIX += ["no finite numbers", "beyond the largest float64"]
RESULTS = ["^Right", "the result has the shape", r"the element \(", "take at least 2x2"]
PRODUCTS = ["^Right", "do not multiply", "the product is", "the matrix needs a row", "already"]
PRODUCTS += ["it should be", "flattened row by row", "column by column"]
# What the random answers to each exercise have to bring about, so that they test all of a checker.
SAID = {
    "1a": [
        "^Right",
        "so it has no edges",
        "all horizontal",
        "all vertical",
        "no edge in it, where",
    ],
    "1b": RESULTS,
    "1c": RESULTS,
    "1d": RESULTS,
    "2a": [
        *("^Right", "is no direction", "a constant image has", "Within one degree", "all zeros"),
        *("gets brighter along v", "did you swap", "as well as along it"),
        "should be a function that takes v",
    ],
    "2b": [
        *("^Right", "A constant image", "A ramp", "the parabola", "derivative along the rows"),
        *("one down the columns", "in both directions", " plus ", r"derivative: -?[\d.e+-]+ times"),
        *(
            "Three elements are",
            "not the smallest:",
            "is not enough",
            "with at most",
            "is no number",
        ),
        *("all zeros", "too small", "is constant"),
        *("no image gets more", "should have the keys", "and has none"),
    ],
    "2c": ["^Right", "must add up to 1", "darker than black", "a single white pixel"],
    "2d": [
        *("^Right", "is no order", "which is no number", "which is not enough", "are enough"),
        *("ignores polynomials", "responds with 0 to X", "should be a function of the order"),
    ],
    "4a": PRODUCTS,
    "4b": [*PRODUCTS, "times your matrix"],  # the windows of 4a are a symmetric matrix
}


@pytest.mark.parametrize("name", ANSWERS)
def test_the_page_says_what_the_library_says_of_known_answers(name):
    known = [*RIGHT[name], *(answer for answer, _ in WRONG[name])]
    verdicts = compared(name, [plain(answer) for answer in known if is_data(answer)])
    assert {right for right, _ in verdicts} == {True, False}


@pytest.mark.parametrize("name", ANSWERS)
def test_the_page_says_what_the_library_says_of_random_answers(name):
    random = np.random.default_rng(list(name.encode()))
    answers = [ANSWERS[name](random) for _ in range(COUNTS.get(name, COUNT))]
    answers += [garbage(random) for _ in range(COUNT // 3)]
    verdicts = compared(name, plain(answers))
    messages = [message for _, message in verdicts]
    for words in SAID[name]:
        assert any(re.search(words, message) for message in messages), words
    assert 0.05 < np.mean([right for right, _ in verdicts]) < 0.9


def test_what_is_no_matrix_is_reported_as_numpy_tells_it():
    random = np.random.default_rng(5)
    verdicts = compared("1a", [plain(garbage(random)) for _ in range(2000)])
    for words in NO_MATRIX:
        assert any(words in message for _, message in verdicts), words


def test_tensors_and_matrices_over_numbers_are_those_of_the_library():
    random = np.random.default_rng(6)
    texts, answers = [], []
    for _ in range(100):
        K = numbers(random, *random.integers(1, 5, 2))
        divisor = [16, 9, 0.3, K.size, float(np.clip(K.sum(), -9, 1e30))][random.integers(5)] or 1
        form = ["d2l.tensor({}) / {}", "np.array({}) / {}", "({}) / ({})"][random.integers(3)]
        texts.append(form.format(K.tolist(), divisor))
        with np.errstate(over="ignore"):
            answers.append(dc.numpy.tensor(K.tolist()) / divisor)
    for name in ("1a", "2c"):
        assert judged(name, texts) == [in_python(name, answer) for answer in answers]


FIRST = [name for name, one in dc.exercises.items() if one.section == "7.2"]
DATA = [name for name in FIRST if "def answer" not in dc.exercises[name].code]


@pytest.mark.parametrize("name", FIRST)
def test_our_own_solutions_are_right_on_the_page_or_are_for_python(name):
    [[right, message]] = judged(name, [dedent(dc.exercises[name].code)])
    assert (right, message[:5]) == ((True, "Right") if name in DATA else ("NeedsPython", ""))
    assert DATA == ["1a", "2b", "2c"]


LITERALS = ["1a", "2b", "2c", "7.3-5", "7.4-3", "7.4-6"]
LITERALS += ["7.5-1", "7.5-3", "7.5-4", "7.5-7", "7.6-2", "7.6-4"]


def test_the_notebooks_solutions_can_be_pasted():
    """With their comments, in which "=" may stand, and with their imports."""
    asked = {name: one for name, one in dc.exercises.items() if not one.points}
    found = read([one.solution("numpy") for one in asked.values()])
    kinds = {name: kind for name, (kind, *_) in zip(asked, found, strict=True)}
    assert [name for name, kind in kinds.items() if kind == "value"] == LITERALS
    assert set(kinds.values()) == {"value", "NeedsPython"}  # and no slip


def literal(random, depth=0):
    """A value that Python writes as a literal."""
    some = [None, True, False, 0, 7, -12, 10**30, 0.0, -2.5, 1e-7, 1e22, 1.5e300, 0.1, 123456.75]
    some += [
        "",
        "a b",
        "it's",
        '"',
        "'\"",
        "\\n\n\t\\",
        "\x00\x7f\xa0\xad\u2028",
        "\U0001f600 \u00e9",
    ]
    some += [float(random.normal() * 10.0 ** random.integers(-20, 20)), int(random.integers(10**9))]
    kind = random.integers(8) if depth < 4 else 0
    if kind < 4:
        return some[random.integers(len(some))]
    values = [literal(random, depth + 1) for _ in range(random.integers(4))]
    if kind == 4:
        keys = [1, 1.0, True, "a", "b", None, (1, 2), (1.0, 2), 0.5, ("a",), -1, 10**30]
        return {keys[n]: one for n, one in zip(random.permutation(12), values, strict=False)}
    return tuple(values) if kind == 5 else values


def typed(random, value):
    """A literal as one may type it: with space, lines and comments between the brackets."""
    between = ["", "", " ", "\n", "\n    ", " # [so, it] is 'said'\n", "\t", "\\\n"]

    def gap():
        return between[random.integers(len(between))]

    if isinstance(value, (list, tuple, dict)):
        open_, close = {list: "[]", tuple: "()", dict: "{}"}[type(value)]
        items = value.items() if isinstance(value, dict) else ((None, one) for one in value)
        parts = [
            (f"{key!r}{gap()}:{gap()}" if isinstance(value, dict) else "") + typed(random, one)
            for key, one in items
        ]
        last = "," if parts and (random.integers(2) or isinstance(value, tuple)) else ""
        text = "".join([gap(), f"{gap()},{gap()}".join(parts), gap(), last, gap()])
        return open_ + text + close
    if type(value) is int:
        forms = [repr(value), f"{value:_}", hex(value), f"{value:#o}", f"{value:#b}", f"{value:+d}"]
        return forms[random.integers(len(forms))]
    if type(value) is float and random.integers(2):
        return f"{value:.17E}" if random.integers(2) else f"{value!r}".replace("0.", ".", 1)
    if isinstance(value, str) and random.integers(4) == 0:
        return f"{value!a} {value[:2]!a}"
    return repr(value)


def test_the_page_reads_literals_as_python_does():
    random = np.random.default_rng(7)
    texts = []
    for _ in range(500):
        before = ["", "answer = ", "K=", "  "][random.integers(4)]
        texts.append((before, typed(random, literal(random))))
    expected = [["value", repr(ast.literal_eval(text))] for _, text in texts]
    assert read([before + text for before, text in texts]) == expected


CORNERS = [
    "{1: 2, True: 3, 1.0: 4}",
    "{(1, 'a'): 3, (1.0, 'a'): 4, (1, 'a', 2): 5}",
    "()",
    "((),)",
    "1,",
]
CORNERS += [
    "{10000000000000000000000: 1, 1e22: 2, 1e22 : 3}",
    "{None: 1, 'None': 2, 'a': 3, 'a': 4}",
]
CORNERS += [
    r"'\101\0\x41\u00e9\U0001f600\q\'\"'",
    "'a' \"b\" ''",
    "0x_f_F",
    "0B1",
    "1_0.5e-0_1",
    "00",
    "'''a\nb''c'''",
    '"""it\\"s""" "b"',
]


def test_the_page_reads_corners_of_the_language_as_python_does():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the escape \q, which Python warns of
        expected = [["value", repr(ast.literal_eval(text))] for text in CORNERS]
    assert read(CORNERS) == expected


def test_what_is_almost_python_is_read_as_python_reads_it_or_not_at_all():
    """Expressions with a few signs changed: what only Python reads is told apart from slips."""
    random = np.random.default_rng(8)
    seeds = ["[[1, -2], [0.5, 1/4]]", "(1, 2.5)", "((0, 1), [[1, -1]])", "{1: (2,), 'a': [3]}"]
    texts = []
    for _ in range(1500):
        text = list(seeds[random.integers(len(seeds))])
        for _ in range(random.integers(1, 3)):
            sign = "0123.,/-+ [](){}:'_e"[random.integers(20)]
            text[random.integers(len(text))] = [sign, "", sign + sign][random.integers(3)]
        texts.append("".join(text))
    counts = {}
    for text, (kind, *found) in zip(texts, read(texts), strict=True):
        try:
            python = repr(eval(text, {"__builtins__": {}}))
        except SyntaxError:
            assert kind != "value" or not text.strip(), text
            continue
        except Exception:  # division by 0, and what cannot be added or called
            continue
        finally:
            counts[kind] = counts.get(kind, 0) + 1
        subscript = re.search(r"[\])}'\d]\s*[\[(]", text)  # nobody means that here
        other = kind == "NeedsPython" or subscript or "Ellipsis" in python
        assert other or found[0] == python, (text, found, python)
    assert min(counts["value"], counts["Slip"]) > 200


@pytest.mark.parametrize(
    ("text", "line", "column", "words"),
    [
        ("", 1, 1, "here is the place for your answer"),
        ("answer = ...  ", 1, 10, "here is the place for your answer"),
        ("[[1, 2],\n [3 4]]", 2, 5, "a comma or “]” should be here, and there is “4”"),
        ("[[1, 2],\n [3, 4]", 2, 8, "a comma or “]” should be here, and there is the end"),
        ("[1, 2)", 1, 6, "there is “)”"),
        ("[1,, 2]", 1, 4, "a value should be here"),
        ("[1, 2]]", 1, 7, "the answer has ended before this: “]”"),
        ("[1, 2]\n[3, 4]", 2, 1, "one more pair of brackets"),
        ("1.2.3", 1, 4, "in a number there cannot be “.”"),
        ("2j", 1, 2, "in a number there cannot be “j”"),
        ("007", 1, 1, "does not begin with 0"),
        ("[1/0]", 1, 3, "nothing can be divided by 0"),
        ("'gradient", 1, 1, "the quote ' is not closed"),
        ("'''none'", 1, 1, "the quote ''' is not closed"),
        ("gradient", 1, 1, 'is a name. Text stands in quotes: "gradient"'),
        ("{'torch': none}", 1, 11, "Python writes None"),
        ("{'kernel' [1]}", 1, 11, "between a key and its value"),
        ("{[1]: 2}", 1, 5, "a list cannot be a key"),
        ("{1, 2}", 1, 3, "between a key and its value"),
        ("[" * 40, 1, 32, "too deep"),
        ("-" * 5000 + "1", 1, 32, "too deep"),
        ("9" * 5000, 1, 1, "too long"),
        ("'\\x4'", 1, 2, "not all there"),
        ("[['a']] / 2", 1, 12, "only of numbers"),
    ],
)
def test_a_slip_is_reported_with_its_place(text, line, column, words):
    [[kind, message, _]] = read([text])
    assert kind == "Slip"
    assert message.startswith(f"Line {line}, column {column}: ")
    assert words in message


@pytest.mark.parametrize(
    "text",
    [
        "lambda d: d + 1",
        "answer = lambda d: d + 1",
        "def answer(d):\n    return d + 1",
        "{'kernel': lambda: [[1, -2, 1]]}",
        "np.full((3, 3), 1 / 9)",
        "dc.im2col",
        "[[1, 2]] * 2.5",
        "K / 2",
        "[n + 1 for n in range(5)]",
        "[(m, n) for m in range(5) for n in range(m)]",
        "2 ** 3",
        "K = [[1, -1]]\nanswer = K",
        "from d2lconv import torch as d2l\nanswer = d2l.pool2d([[1, -2, 1]])",
        "d2l.tensor([[1, 2]], dtype='float64')",
    ],
)
def test_what_the_page_cannot_run_is_left_to_python(text):
    assert [kind for kind, *_ in read([text])] == ["NeedsPython"]


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("lambda d: d + 1", 'dc.check("2d", lambda d: d + 1)'),
        (" answer = lambda d, e=(1, 2): d + 1\n", 'dc.check("2d", lambda d, e=(1, 2): d + 1)'),
        ("[2, max(1, 3)]", 'dc.check("2d", [2, max(1, 3)])'),
        ("1, lambda: 2", 'answer = 1, lambda: 2\n\ndc.check("2d", answer)'),
        ("lambda d: d + 1  # so", 'answer = lambda d: d + 1  # so\n\ndc.check("2d", answer)'),
        ("def f(d):\n  n = d\n  return n", 'def f(d):\n  n = d\n  return n\n\ndc.check("2d", f)'),
        ("K = 1\nanswer = K\nL = 2", 'K = 1\nanswer = K\nL = 2\n\ndc.check("2d", answer)'),
        ("np.hypot(3, 4)", 'import numpy as np\ndc.check("2d", np.hypot(3, 4))'),
        ("d2l.eye", 'from d2lconv import jax as d2l\ndc.check("2d", d2l.eye)'),
        (
            "from d2lconv import tf as d2l\nanswer = d2l.eye",
            'from d2lconv import tf as d2l\nanswer = d2l.eye\n\ndc.check("2d", answer)',
        ),
    ],
)
def test_python_is_handed_the_whole_program(text, code):
    call = "return program('2d', text, 'jax');"
    assert script(widgets.module("exercises"), call, text=text) == code
    ast.parse(code)


def test_numbers_are_written_and_added_as_python_does():
    random = np.random.default_rng(9)
    values = [*(random.normal(size=300) * 10.0 ** random.integers(-25, 25, 300)).tolist()]
    values += (random.integers(-(10**7), 10**7, 600) / 8).tolist()
    values += [0.0, -0.0, math.inf, -math.inf, math.nan, 1e16, 1e15, 1e-4, 1e-5, 5e-324, 1e100]
    values += [999999.5, 9999.5, 100000.5, 100001.5, 0.0001, 0.00012345, 1.7976931348623157e308]
    found = script(
        widgets.module("exercises"),
        "return texts.map(parse).map((one) => [general(one), general(one, 4), repr(one)]);",
        texts=list(map(repr, values)),
    )
    assert found == [[f"{one:g}", f"{one:.4g}", repr(one)] for one in values]
    lists = [random.normal(size=n) for n in [*range(40), 127, 128, 129, 136, 255, 300, 1000]]
    sums = script(
        widgets.module("exercises"),
        "return lists.map(sum);",
        lists=[one.tolist() for one in lists],
    )
    assert sums == [float(one.sum()) for one in lists]


def test_a_page_has_the_state_that_its_exercise_needs():
    page = widgets.html("exercises", id="Exercise 2(b)", framework="tensorflow")
    assert '"framework": "tf"' in page
    assert '"id": "2b"' in page
    assert "MXNetError" not in page
    assert "MXNetError" in widgets.html("exercises", id=3, framework="together")
    assert STATES["exercises"] == ("id", "framework", "outcomes", "hint", "task")


@pytest.mark.parametrize(
    ("state", "words"),
    [
        ({}, "there is no exercise None"),
        ({"id": "2e"}, r"there is no exercise '2e'; did you mean '2[a-d]'\?"),
        ({"id": "3", "framework": "torhc"}, "unknown backend 'torhc'; did you mean 'torch'"),
        ({"id": "2a", "kernel": [[1]]}, "unknown state of 'exercises' 'kernel'"),
    ],
)
def test_a_page_for_no_exercise_is_refused(state, words):
    with pytest.raises((ArgumentError, UnknownBackend), match=words):
        widgets.page("exercises", **state)
