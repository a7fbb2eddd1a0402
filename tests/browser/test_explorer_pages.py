"""The attention explorer's script in Chromium without Jupyter: its arithmetic against Python's, and pages that were saved."""

import numpy as np
import pytest
from playwright.sync_api import Browser, Page

from helpers.sampling import shape_log_probs
from helpers.widgets import AttentionExplorer
from helpers.widgets._explorer_frame import ranked

pytestmark = pytest.mark.timeout(120)


@pytest.fixture
def page(chromium: Browser) -> Page:
    """An empty page that has no network; an error on it fails the test."""
    context = chromium.new_context(viewport={"width": 1280, "height": 1400}, offline=True)
    page, errors = context.new_page(), []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("console", lambda message: message.type == "error" and errors.append(message.text))
    yield page
    context.close()
    assert errors == []


def test_sampling_settings_do_what_the_sampler_does(page):
    rng = np.random.default_rng(0)
    script = str(AttentionExplorer._esm).replace("export default", "return shaped; const widget =")
    shaped = page.evaluate_handle(f"() => {{ {script} }}")
    for _ in range(200):
        logits = ranked(rng.normal(0, 1.5, rng.integers(1, 40)).astype(np.float32))
        settings = {
            "temperature": rng.choice([0, 0.3, 1, 2]).item(),
            "top_k": rng.choice([None, 1, 3, 60]),
            "top_p": rng.choice([None, 0.1, 0.6, 0.95, 1.0]),
            "min_p": rng.choice([None, 0.02, 0.3, 1.0]),
        }
        made = shaped.evaluate(
            "(f, [x, s]) => { const r = f(x, s); return [[...r.before], [...r.after], r.kept, r.held]; }",
            [logits.tolist(), settings],
        )
        p = np.exp(logits.astype(float) - logits[0])
        p /= p.sum()
        expected = np.exp(shape_log_probs(np.log(p), **settings))
        np.testing.assert_allclose(made[0], p, atol=1e-12)
        np.testing.assert_allclose(made[1], expected, atol=1e-12, err_msg=str(settings))
        assert made[2] == (expected > 0).sum() and made[3] == pytest.approx(p[expected > 0].sum())
