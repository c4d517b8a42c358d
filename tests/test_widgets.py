"""The widgets' arithmetic has the library's bits; their pages and classes hold what they need."""

import re

import numpy as np
import pytest
from children import python
from javascript import NEEDED, part, script

import d2lconv as dc
from d2lconv import ArgumentError, ShapeError, published, widgets
from d2lconv.widgets.pages import STATES, TITLES


def bits(values):
    return np.asarray(values, np.float32).ravel().view(np.uint32).tolist()


def lists(*arrays):
    return [array.tolist() for array in arrays]


def test_the_window_has_the_bits_of_corr2d():
    random = np.random.default_rng(0)
    cases = []
    for _ in range(60):
        kh, kw, H, W = random.integers(1, 6, 4)
        X = random.normal(size=(kh + H - 1, kw + W - 1)) * 10.0 ** random.integers(-3, 4)
        X[random.random(X.shape) < 0.2] = -0.0
        cases.append((X.astype(np.float32), random.normal(size=(kh, kw)).astype(np.float32)))
    cases.append((np.arange(9, dtype=np.float32).reshape(3, 3), np.float32([[0, 1], [2, 3]])))
    found = script(
        part("arithmetic.js"),
        "return cases.map(([X, K]) => bits(corr2d(matrix(X), matrix(K)).flat()));",
        cases=[lists(X, K) for X, K in cases],
    )
    assert found == [bits(dc.numpy.corr2d(X, K)) for X, K in cases]
    assert found[-1] == bits([19, 25, 37, 43])


def test_the_sum_is_the_contracts_tree():
    from d2lconv.core.contract import tree_sum

    random = np.random.default_rng(1)
    rows = [random.normal(size=n).astype(np.float32) for n in range(1, 70)]
    found = script(part("arithmetic.js"), "return bits(rows.map(treeSum));", rows=lists(*rows))
    assert found == bits([tree_sum(list(row)) for row in rows])


def learned(cases):
    """What the widget learns: the bits of all losses, and those of the last kernel."""
    return script(
        part("arithmetic.js"),
        """return cases.map(({ X, Y, initial, lr, epochs }) => {
          const { losses, kernels } = learn(matrix(X), matrix(Y), initial, lr, epochs);
          return [bits(losses), bits(kernels.at(-1).flat())];
        });""",
        cases=cases,
    )


def test_learning_has_the_librarys_bits_for_the_published_runs():
    X = dc.edge_image()
    Y = dc.numpy.corr2d(X, published.KERNEL)
    settings = [
        {"initial": [list(run.initial)], "lr": published.LR, "epochs": published.EPOCHS}
        for run in published.runs()
    ]
    X, Y = lists(X, Y)
    found = learned([{"X": X, "Y": Y, **setting} for setting in settings])
    assert len(found) == 5
    for (losses, kernel), setting, printed in zip(found, settings, published.runs(), strict=True):
        run = dc.numpy.learn_kernel(
            X, Y, (1, 2), lr=setting["lr"], epochs=setting["epochs"], init=setting["initial"]
        )
        assert losses == bits(run.losses)
        assert kernel == bits(run.kernel)
        shown = np.array(losses, np.uint32).view(np.float32)[1::2]
        assert tuple(f"{loss:.3f}" for loss in shown) == printed.losses


def test_learning_has_the_librarys_bits_for_random_problems():
    random = np.random.default_rng(2)
    cases = []
    for _ in range(25):
        kh, kw, H, W = random.integers(1, 5, 4)
        X = random.normal(size=(kh + H - 1, kw + W - 1)).astype(np.float32)
        Y, K = (random.normal(size=size).astype(np.float32) for size in ((H, W), (kh, kw)))
        X, Y, K = lists(X, Y, K)
        cases.append({"X": X, "Y": Y, "initial": K, "lr": random.random() / 50, "epochs": 12})
    for case, (losses, kernel) in zip(cases, learned(cases), strict=True):
        K = case["initial"]
        size = (len(K), len(K[0]))
        run = dc.numpy.learn_kernel(
            case["X"], case["Y"], size, lr=case["lr"], epochs=case["epochs"], init=K
        )
        assert losses == bits(run.losses)
        assert kernel == bits(run.kernel)


def test_the_surface_is_the_loss():
    """At weights whose products need few bits, both are exact."""
    X = dc.edge_image()
    Y = dc.numpy.corr2d(X, published.KERNEL)
    weights = (np.random.default_rng(3).integers(-12, 13, (40, 2)) / 4).tolist()
    found = script(
        part("arithmetic.js"),
        "const loss = paraboloid(X, Y); return weights.map(([k, l]) => loss(k, l));",
        X=X.tolist(),
        Y=Y.tolist(),
        weights=weights,
    )
    assert found == [float(((dc.numpy.corr2d(X, [K]) - Y) ** 2).sum()) for K in weights]


def test_receptive_fields_are_the_librarys():
    random = np.random.default_rng(4)
    cases = []
    for _ in range(150):
        names = ("kernel_size", "stride", "padding", "dilation")
        numbers = random.integers([1, 1, 0, 1], [6, 4, 3, 5], (random.integers(1, 5), 4))
        layers = [dict(zip(names, row, strict=True)) for row in numbers.tolist()]
        cases.append({"layers": layers, "size": int(random.integers(1, 30))})
    found = script(
        part("arithmetic.js"),
        """return cases.map(({ layers, size }) => {
          const ends = sizes(layers, size);
          const places = Array.from({ length: ends.at(-1) }, (_, n) => n);
          const views = places.map((n) => seen(layers, size, ends.length - 1, n)[0]);
          return { ends, views, ...field(layers) };
        });""",
        cases=cases,
    )
    whole = 0
    for case, one in zip(cases, found, strict=True):
        layers, size, depth = case["layers"], case["size"], len(one["ends"]) - 1
        if depth < len(layers):
            with pytest.raises(ShapeError):
                dc.receptive_field(layers[: depth + 1], input_shape=(size, size))
        far = dc.receptive_field(layers)
        assert (one["size"], one["jump"], one["start"]) == (far.size[0], far.jump[0], far.start[0])
        if depth == 0:
            continue
        whole += depth == len(layers)
        shape = (size, size)
        for place, view in enumerate(one["views"]):
            other = len(one["views"]) - 1 - place
            element = dc.receptive_field(layers[:depth], (place, other), input_shape=shape)
            assert element.output_shape == (one["ends"][-1],) * 2
            assert view == list(element.rows)
            assert one["views"][other] == list(element.columns)
    assert whole > 50


def test_numbers_are_read_and_shown_as_people_write_them():
    texts = ["1/9", "−2", " 3 ", "0,5", "", "1/0", "two", "1e39", "/3"]
    found = script(
        part("common.js"),
        """return [texts.map(typed).map((n) => Number.isNaN(n) ? null : n),
          [-0, 1.25, -1, Math.fround(0.1), Math.fround(1 / 3), 123456, -1.5e9].map((n) => shown(n)),
          [Math.fround(0.1), Math.fround(1 / 3), 19].map(shortest)];""",
        texts=texts,
    )
    ninth = float(np.float32(1) / np.float32(9))
    assert found == [
        [ninth, -2, 3, 0.5, None, None, None, None, None],
        ["0", "1.25", "−1", "0.1", "0.3333", "123456", "−1.5e9"],
        ["0.1", "0.33333334", "19"],
    ]


@pytest.mark.parametrize("name", TITLES)
def test_a_module_is_whole_and_plain(name):
    module = widgets.module(name)
    found = script(module, "return [typeof render, Object.keys(defaults)];")
    assert found == ["function", list(STATES[name])]
    assert not re.search(r"^\s*import\b|\bimport\s*\(", module, flags=re.MULTILINE)
    assert "</script" not in module.lower()
    assert "<!--" not in module


@pytest.mark.parametrize("name", TITLES)
def test_a_page_asks_for_nothing(name):
    page = widgets.page(name, **NEEDED.get(name, {}))
    addresses = set(re.findall(r"https?://[^\s\"')]+", page))
    assert addresses <= {"http://www.w3.org/2000/svg"}
    assert not re.search(r"\b(src|href)=|@import|url\(", page)


def test_state_cannot_leave_its_script():
    text = str(widgets.html("learning", runs=[{"title": "</script><!-- & '\u2028"}]))
    assert text.count("</script") == 1
    assert "<!--" not in text


def test_state_may_be_tensors():
    lesson = widgets.html("edges", image=dc.edge_image(), kernel=dc.kernels.sobel())
    assert '"kernel": [[-1.0, 0.0, 1.0]' in lesson
    assert "np." not in lesson


@pytest.mark.parametrize(
    ("name", "state", "words"),
    [
        ("windows", {}, "did you mean 'window'"),
        ("edges", {"imag": [[1]]}, "did you mean 'image'"),
        ("edges", {"image": [[float("nan")]]}, "no form in JSON"),
        ("edges", {"image": object()}, "no form in JSON"),
    ],
)
def test_a_mistake_is_reported(name, state, words):
    with pytest.raises(ArgumentError, match=words):
        widgets.html(name, **state)


CLASSES = {
    "window": "SlidingWindow",
    "edges": "EdgeDetector",
    "learning": "LearningLoop",
    "receptive": "ReceptiveFields",
    "strides": "PaddingAndStrides",
    "channels": "Channels",
    "pooling": "Pooling",
    "lenet": "LeNet",
}


@pytest.mark.parametrize("name", CLASSES)
def test_a_notebook_gets_the_same_module_style_and_state(name):
    widget = getattr(widgets, CLASSES[name])()
    shared = widget.get_state()
    assert (shared["_esm"], shared["_css"]) == (widgets.module(name), widgets.style())
    assert set(STATES[name]) <= set(shared)
    if name == "learning":
        assert len(shared["runs"]) == 5
    widget.close()


def test_without_anywidget_pages_work_and_classes_say_what_to_install():
    child = python("""
import sys
sys.modules["anywidget"] = None
import d2lconv as dc
from d2lconv import widgets
assert "render" in widgets.page("window")
try:
    widgets.SlidingWindow
except dc.ExtraNotInstalled as error:
    print(error)
""")
    assert 'anywidget, which is not installed. Run: pip install "d2lconv[widgets]"' in child.stdout


def test_importing_the_library_does_not_import_the_widgets():
    python("""
import sys, d2lconv
assert not {"d2lconv.widgets", "anywidget", "ipywidgets"} & set(sys.modules)
""")


@pytest.mark.parametrize(
    ("options", "title"),
    [({}, "Y, 4x4"), ({"stride": [2, 1]}, "Y, 2x4"), ({"dilation": [1, 2]}, "Y, 4x3")],
)
def test_the_still_picture_of_a_strided_window_has_its_stride_and_dilation(options, title):
    still = widgets.PaddingAndStrides(**options)._still(dc.figures)
    assert still.axes[-1].get_title() == title
