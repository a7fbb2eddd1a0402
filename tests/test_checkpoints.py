"""The models that ship with the course: each is small, says how it was made, and has the loss that it says."""

import json

import pytest

from helpers import corpora, ladder, paths
from helpers.probability import LN2
from helpers.training import MASK, MaskedData, encoded, evaluate, load_model
from helpers.transformer import BERT

SHIPPED = {
    "shakespeare_gpt": "shakespeare", "world_gpt": "world", "world_polite_gpt": "world-polite", "world_bert": "world",
    "documents_gpt": "documents",
}  # fmt: skip
LIMIT = 16 * 2**20  # bytes


def test_the_folder_holds_these_models_and_its_readme_names_them():
    assert {path.stem for path in paths.CHECKPOINTS.glob("*.safetensors")} == SHIPPED.keys()
    card = (paths.CHECKPOINTS / "README.md").read_text(encoding="utf-8")
    for name in SHIPPED:
        _, facts = load_model(paths.CHECKPOINTS / f"{name}.safetensors")
        row = next(line for line in card.splitlines() if line.startswith(f"| `{name}.safetensors`"))
        for said in (f"{facts['val_loss']:.4f}", facts["date"], f"{facts['params']:,}", f"`{facts['command']}`"):
            assert said in row, (name, said)


@pytest.mark.parametrize("name", SHIPPED)
def test_a_shipped_model_is_small_and_has_the_loss_that_it_says(name):
    path = paths.CHECKPOINTS / f"{name}.safetensors"
    assert path.stat().st_size <= LIMIT
    model, facts = load_model(path)
    assert facts["command"].startswith("python -m helpers.training --preset ")
    assert facts["hardware"] and facts["torch"] and sum(p.numel() for p in model.parameters()) == facts["params"]
    try:
        vocab, end, ids = encoded(SHIPPED[name], ["val"])
    except corpora.CorpusError as error:
        pytest.skip(f"{SHIPPED[name]} cannot be had here: {error}")
    if isinstance(model, BERT):
        assert model.vocab == [*vocab, MASK]
        data = MaskedData(ids["val"], model.vocab_size, mask_id=model.vocab.index(MASK), keep=[vocab.index(end)])
    else:
        assert model.vocab == vocab and model.end == vocab.index(end)
        data = ids["val"]
    assert evaluate(model, data) == pytest.approx(facts["val_loss"], abs=2e-3)  # float16 rounds the weights


def test_the_rungs_of_trained_models_are_those_of_the_files():
    """A character of Shakespeare is a byte."""
    rungs = {rung.name: rung.bits_per_byte for rung in ladder.reference("shakespeare")}
    _, facts = load_model(paths.CHECKPOINTS / "shakespeare_gpt.safetensors")
    assert rungs[f"the shipped GPT, preset {facts['preset']}"] == pytest.approx(facts["val_loss"] / LN2, abs=3e-3)
    measured = json.loads((paths.DATA / "training.json").read_text(encoding="utf-8"))["rows"]
    for name in ("cpu-sprint", "cpu"):
        loss = next(row["loss"] for row in measured if row["preset"] == name)
        assert rungs[f"mini-GPT, preset {name}"] == pytest.approx(loss / LN2, abs=1e-4)
