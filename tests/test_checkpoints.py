"""The models that ship with the course: each is small, says how it was made, and has the loss that it says."""

import pytest

from helpers import corpora, paths
from helpers.training import MASK, MaskedData, encoded, evaluate, load_model
from helpers.transformer import BERT

SHIPPED = {"shakespeare_gpt": "shakespeare", "world_gpt": "world", "world_bert": "world"}
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
        vocab, end, ids = encoded(SHIPPED[name])
    except corpora.CorpusError as error:
        pytest.skip(f"{SHIPPED[name]} cannot be had here: {error}")
    if isinstance(model, BERT):
        assert model.vocab == [*vocab, MASK]
        data = MaskedData(ids["val"], model.vocab_size, mask_id=model.vocab.index(MASK), keep=[vocab.index(end)])
    else:
        assert model.vocab == vocab and model.end == vocab.index(end)
        data = ids["val"]
    assert evaluate(model, data) == pytest.approx(facts["val_loss"], abs=2e-3)  # float16 rounds the weights
