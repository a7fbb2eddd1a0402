"""The attention explorer's scripts: the one that every page gets, and a second one for what is measured on demand."""

import hashlib

from helpers.widgets._base import script, scripts

# The panels of what is measured on demand: a second module, which a page gets when it opens the first of them.
EXPERIMENTS = scripts(
    "base.js",
    "canvas.js",
    "attention_explorer_data.js",
    "attention_explorer_controls.js",
    "attention_experiments.js",
    "attention_experiments_ablation.js",
    "attention_experiments_lens.js",
    "attention_experiments_labels.js",
    "attention_experiments_mix.js",
    "attention_experiments_steps.js",
)


def tight(source: str) -> str:
    """The script without the room around operators and before braces that no text of the page has: some hundred bytes less."""
    for operator in ("=>", "===", "!==", "&&", "||", "??", "?", ":"):
        source = source.replace(f" {operator} ", operator)
    return source.replace(") {", "){")


VERSION = f'const EXPERIMENTS = "{hashlib.sha256(EXPERIMENTS.encode()).hexdigest()[:12]}";\n'
MAIN = VERSION + tight(
    script(
        "canvas.js",
        "bars.js",
        "text_box.js",
        "attention_explorer_data.js",
        "attention_explorer_controls.js",
        "attention_explorer_sampling.js",
        "attention_explorer_filter.js",
        "attention_explorer_heads.js",
        "attention_explorer_tokens.js",
        "attention_explorer_matrix.js",
        "attention_explorer_cell.js",
        "attention_explorer_next.js",
        "attention_explorer_state.js",
        "attention_explorer_link.js",
        "attention_explorer_teacher.js",
        "attention_explorer_experiments.js",
        "attention_explorer.js",
    )
)
