"""Pages in a real browser: the system's Chromium, with no way out to the network.

Where there is no Chromium, or no Playwright to drive it, these tests skip and say so. With the
variable D2LCONV_BROWSER=1 they fail instead.
"""

import os
import shutil
from pathlib import Path

import pytest

NAMES = ("chromium", "chromium-browser", "google-chrome")
FOUND = next(filter(None, map(shutil.which, NAMES)), None)


def missing(reason):
    """Skip, or fail where a browser is demanded."""
    if os.environ.get("D2LCONV_BROWSER") == "1":
        pytest.fail(f"{reason}, and D2LCONV_BROWSER=1 demands it")
    pytest.skip(reason)


@pytest.fixture(scope="module")  # not longer: its event loop would be in the way of other tests
def chromium():
    """The browser."""
    try:
        from playwright.sync_api import sync_playwright
    except ModuleNotFoundError:
        missing("Playwright is not installed (the extra browser)")
    if FOUND is None:
        missing("Chromium is not installed")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=FOUND)
        yield browser
        browser.close()


@pytest.fixture
def visit(chromium, tmp_path):
    """What opens a page, or a file, from disk; it also takes what a browser's context takes.

    When the test ends, nothing may have left for the network, and nothing may have gone wrong.
    """
    trouble, left, contexts = [], [], []

    def blocked(route):
        if not route.request.url.startswith(("file:", "data:", "blob:")):
            left.append(route.request.url)
            route.abort()
        else:
            route.continue_()

    def said(message):
        if message.type in ("error", "warning"):
            trouble.append(message.text)

    def opened(html, width=1280, **options):
        path = html
        if not isinstance(html, Path):
            path = Path(tmp_path, f"page{len(contexts)}.html")
            path.write_text(html, encoding="utf-8")
        context = chromium.new_context(viewport={"width": width, "height": 900}, **options)
        context.set_default_timeout(10_000)
        contexts.append(context)
        context.route("**/*", blocked)
        page = context.new_page()
        page.on("console", said)
        page.on("pageerror", lambda error: trouble.append(str(error)))
        page.goto(path.as_uri())
        return page

    yield opened
    for context in contexts:
        context.close()
    assert not left, f"requests left the page: {left}"
    assert not trouble, f"the console has {trouble}"
