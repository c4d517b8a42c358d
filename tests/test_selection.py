"""Which backend serves a call: native tensors decide, neutral data asks."""

import asyncio
import os
import threading

import numpy as np
import pytest
from children import python, write
from chosen import demand, demand_extra

import d2lconv as dc
from d2lconv.binding import bind
from d2lconv.core import registry, selection

pytestmark = pytest.mark.together  # a choice is one of several


def serves(backend):
    """Whether neutral data is served by that backend, seen by the type of a result."""
    return type(dc.tensor([1])) is type(bind(backend).tensor([1]))


def test_numpy_serves_when_nothing_is_chosen():
    assert dc.current_backend() == "numpy"
    assert type(dc.corr2d([[1, 2]], [[1]])) is np.ndarray


def test_use_chooses_for_the_process(backend):
    dc.use(backend)
    assert dc.current_backend() == backend
    assert serves(backend)
    seen = []
    thread = threading.Thread(target=lambda: seen.append(dc.current_backend()))
    thread.start()
    thread.join()
    assert seen == [backend]


def test_a_block_chooses_inside_and_restores_outside(backend):
    with dc.backend(backend) as d2l:
        assert d2l is bind(backend)
        assert dc.current_backend() == backend
        assert serves(backend)
        with dc.backend("numpy"):
            assert dc.current_backend() == "numpy"
        assert dc.current_backend() == backend
    assert dc.current_backend() == "numpy"


def test_a_block_wins_over_use_and_use_over_the_variable(framework, monkeypatch):
    monkeypatch.setenv(selection.VARIABLE, framework)
    assert dc.current_backend() == framework
    dc.use("numpy")
    assert dc.current_backend() == "numpy"
    with dc.backend(framework):
        assert dc.current_backend() == framework
    assert dc.current_backend() == "numpy"


def test_a_block_is_left_by_an_error_too(backend):
    with pytest.raises(ZeroDivisionError), dc.backend(backend):
        raise ZeroDivisionError
    assert dc.current_backend() == "numpy"


def test_a_block_chooses_for_its_own_thread(framework):
    seen = []
    with dc.backend(framework):
        thread = threading.Thread(target=lambda: seen.append(dc.current_backend()))
        thread.start()
        thread.join()
    assert seen == ["numpy"]


def test_a_block_chooses_for_its_own_task(framework):
    async def inside(name, other):
        with dc.backend(name):
            await asyncio.sleep(0)
            found = dc.current_backend()
            await other
            return found

    async def both():
        done = asyncio.Event()
        done.set()
        return await asyncio.gather(inside(framework, done.wait()), inside("numpy", done.wait()))

    assert asyncio.run(both()) == [framework, "numpy"]


def test_the_variable_chooses(backend, monkeypatch):
    monkeypatch.setenv(selection.VARIABLE, backend)
    assert serves(backend)
    monkeypatch.setenv(selection.VARIABLE, "")
    assert dc.current_backend() == "numpy"


def test_an_unknown_name_in_the_variable_is_an_error_and_no_fallback(monkeypatch):
    monkeypatch.setenv(selection.VARIABLE, "pytroch")
    with pytest.raises(
        dc.UnknownBackend, match="'pytroch' in the variable D2LCONV_BACKEND; did you"
    ):
        dc.corr2d([[1]], [[1]])


ALIASES = {
    "pytorch": "torch",
    "tensorflow": "tf",
    "keras": "tf",
    "mx": "mxnet",
    "flax": "jax",
}


@pytest.mark.parametrize("alias", ALIASES)
def test_aliases(alias):
    name = demand(ALIASES[alias])
    with dc.backend(alias) as d2l:
        assert dc.current_backend() == name
        assert d2l is getattr(dc, alias)
    dc.use(alias)
    assert dc.current_backend() == name


@pytest.mark.parametrize("choose", [dc.use, lambda name: dc.backend(name).__enter__()])
@pytest.mark.parametrize(
    ("name", "hint"), [("jaxx", "'jax'"), ("tensorlow", "'tensorflow'"), ("Torch", "'torch'")]
)
def test_an_unknown_name_gets_a_suggestion(choose, name, hint):
    with pytest.raises(
        dc.UnknownBackend, match=f"{name!r}; did you mean {hint}.* Known: numpy, jax"
    ):
        choose(name)
    assert dc.current_backend() == "numpy"


def test_native_tensors_decide_whatever_is_chosen(framework):
    d2l = bind(framework)
    native = d2l.tensor([[1, 2, 3]])
    dc.use("numpy")
    for result in (dc.corr2d(native, [[1]]), dc.corr2d([[1, 2]], native[:, :1]), dc.tensor(native)):
        assert selection.backend_of(result) == framework
    assert dc.learn_kernel(native, [[1, 2]], (1, 2), epochs=1).backend == framework


def test_numpy_arrays_are_neutral_data(framework):
    with dc.backend(framework):
        assert selection.backend_of(dc.corr2d(np.eye(3), np.eye(2))) == framework


def test_variables_parameters_and_subclasses_are_recognised(framework):
    d2l = bind(framework)
    found = [d2l.tensor([[1.0]])]
    if framework == "torch":
        import torch

        found += [
            torch.nn.Parameter(found[0]),
            torch.zeros(1).as_subclass(type("T", (torch.Tensor,), {})),
        ]
    if framework == "tf":
        import keras
        import tensorflow as tf

        found += [tf.Variable([[1.0]]), keras.Variable([[1.0]]), d2l.Conv2D((1, 1)).weight]
    if framework == "jax":
        import jax

        tracers = []
        jax.jit(lambda x: tracers.append(x) or x)(found[0])
        jax.grad(lambda x: tracers.append(x) or x.sum())(found[0])
        found += tracers
    if framework == "mxnet":
        from mxnet import nd

        found += [nd.ones((1, 1)), d2l.Conv2D((1, 1)).weight.data()]
    assert {selection.backend_of(value) for value in found} == {framework}


@pytest.mark.parametrize("value", [1, [1], np.eye(2), np.float32(1), None, "x", (1, 2), range(3)])
def test_everything_else_is_neutral(value):
    assert selection.backend_of(value) is None


def test_the_bound_api_is_the_neutral_one_for_one_framework(d2l):
    public = {
        "Conv2D",
        "conv2d",
        "corr2d",
        "diagonal_image",
        "edge_image",
        "learn_kernel",
        "tensor",
        "to_numpy",
        "transpose",
    }
    assert public <= set(dir(d2l))
    assert public <= set(dc.__all__)
    with dc.backend("numpy"):
        assert type(d2l.corr2d([[1, 2]], [[1]])) is type(d2l.tensor([1]))
        assert type(d2l.edge_image()) is type(d2l.tensor([1]))
        assert d2l.learn_kernel([[1, 2]], [[1]], (1, 2), epochs=1).backend == d2l.name


def test_the_bound_api_is_imported_like_the_books(backend):
    python(f"""
from d2lconv import {backend} as d2l
import d2lconv as dc
assert d2l is dc.{backend}
assert d2l.name == {backend!r}
Y = d2l.corr2d([[0, 1, 2], [3, 4, 5], [6, 7, 8]], [[0, 1], [2, 3]])
assert d2l.to_numpy(Y).tolist() == [[19, 25], [37, 43]]
assert dc.current_backend() == "numpy"
""")


def test_an_unknown_attribute_is_an_attribute_error():
    with pytest.raises(
        AttributeError, match=r"no attribute 'tensorflw'.*did you mean 'tensorflow'"
    ):
        dc.tensorflw  # noqa: B018
    assert not hasattr(dc, "__wrapped__")


# What shares a thread, and what does not.


def test_blocks_end_in_any_order(framework):
    """A generator that waits inside a block, while its consumer begins one and ends it later."""

    def generate():
        with dc.backend(framework):
            yield dc.current_backend()

    generator = generate()
    assert next(generator) == framework
    assert dc.current_backend() == framework  # documented: it waits inside its block
    with dc.backend("numpy"):
        assert dc.current_backend() == "numpy"
        assert list(generator) == []  # its block ends, and takes back its own choice alone
        assert dc.current_backend() == "numpy"
    assert dc.current_backend() == "numpy"
    assert selection._blocks.get() == ()


def test_a_generator_that_is_thrown_away_leaves_nothing(framework):
    def generate():
        with dc.backend(framework):
            yield

    generator = generate()
    next(generator)
    generator.close()
    assert dc.current_backend() == "numpy"


def test_an_asynchronous_generator_that_ends_elsewhere_is_no_error(framework):
    async def generate():
        with dc.backend(framework):
            yield dc.current_backend()

    async def main():
        generator = generate()
        assert await asyncio.create_task(anext(generator)) == framework
        assert dc.current_backend() == "numpy"  # the other task's context is not ours
        await generator.aclose()
        return dc.current_backend()

    assert asyncio.run(main()) == "numpy"


def test_a_task_keeps_the_choice_that_it_was_started_with(framework):
    async def later(event):
        await event.wait()
        return dc.current_backend()

    async def main():
        event = asyncio.Event()
        with dc.backend(framework):
            task = asyncio.create_task(later(event))
            thread = asyncio.create_task(asyncio.to_thread(dc.current_backend))
        event.set()
        return await task, await thread, dc.current_backend()

    assert asyncio.run(main()) == (framework, framework, "numpy")


def test_cells_of_a_notebook_share_use_and_no_blocks(framework):
    demand_extra("IPython", "notebooks")
    python(f"""
from IPython.core.interactiveshell import InteractiveShell
shell = InteractiveShell.instance()
shell.run_cell("import d2lconv as dc").raise_error()
assert not shell.run_cell("with dc.backend({framework!r}): 1 / 0").success
assert shell.run_cell("dc.current_backend()").result == "numpy"
shell.run_cell("dc.use({framework!r})").raise_error()
assert shell.run_cell("dc.current_backend()").result == {framework!r}
""")


WORK = """
import numpy as np
import d2lconv as dc
rng = np.random.default_rng(0)
X, K = rng.standard_normal((40, 50), np.float32), rng.standard_normal((5, 3), np.float32)

def work(name):
    with dc.backend(name):
        Y = dc.corr2d(X, K)
        learned = dc.learn_kernel(X, Y, (5, 3), lr=1e-5, epochs=3)
        layer = dc.Conv2D((5, 3), weight=K)
        loop = dc.corr2d(X[:6, :6], K, method="loop")
        assert loop.shape == (2, 4)
        return b"".join(dc.to_numpy(t).tobytes() for t in (Y, learned.kernel, layer(X)))
"""


def test_eight_threads_have_the_same_bits_from_the_first_use_on(backend):
    """Import, first use and work at once, in a process where nothing has been imported yet."""
    python(
        WORK
        + f"""
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
together = Barrier(8)

def begin(_):
    together.wait()
    return [work({backend!r}) for _ in range(3)]

with ThreadPoolExecutor(8) as threads:
    found = {{bits for results in threads.map(begin, range(8)) for bits in results}}
found.add(work("numpy"))
assert len(found) == 1, len(found)
assert dc.current_backend() == "numpy"
"""
    )


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
def test_a_forked_process_has_the_same_bits_or_an_error(backend):
    """Its parent has imported and used the framework; it must not hang."""
    child = python(
        "import warnings; warnings.simplefilter('ignore')\n"
        + WORK
        + f"""
import multiprocessing

def forked(queue):
    try:
        queue.put(work({backend!r}))
    except dc.BackendBroken as error:
        queue.put(str(error))
    queue.put(work("numpy"))  # which always works

here = work({backend!r})
fork = multiprocessing.get_context("fork")
queue = fork.SimpleQueue()
process = fork.Process(target=forked, args=(queue,), daemon=True)
process.start()
process.join(60)
assert process.exitcode == 0, process.exitcode
found = queue.get()
assert queue.get() == here
print("same" if found == here else found)
"""
    )
    if registry.manifests()[backend][0].forks:
        assert child.stdout == "same\n"
    else:
        assert "was imported before this process was forked, and would hang here" in child.stdout
        assert "spawn" in child.stdout


def test_a_spawned_process_has_the_same_bits(backend, tmp_path):
    write(tmp_path, {"spawned.py": WORK})
    python(
        f"""
import multiprocessing
from spawned import work
if __name__ == "__main__":
    here = work({backend!r})
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        assert pool.apply(work, ({backend!r},)) == here
""",
        path=tmp_path,
    )
