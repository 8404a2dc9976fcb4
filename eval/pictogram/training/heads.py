"""Trains the heads: uCLIP's recipe, chosen on the validation concepts; its ablations; heads taught with real pairs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from eval.pictogram.measures import TEXT_TO_IMAGE, Scores, mean, recalls
from eval.pictogram.plan import ExperimentPlan
from eval.pictogram.training.features import VALIDATION, Gallery, TrainedEncoders, open_banks, open_gallery, open_pivot
from eval.pictogram.world.concepts import MEASURED
from haystack_agent.encoders.projector import EncoderRef, Projector, ProjectorCard, save_projector
from haystack_agent.uclip.loss import LossTerms
from haystack_agent.uclip.recipe import Recipe
from haystack_agent.uclip.training import train

UCLIP, SUPERVISED = "uCLIP", "supervised with pairs"
_CHOSEN_BY = f"{TEXT_TO_IMAGE}@10"
_RETRIEVAL_TEMPERATURES = (0.03, 0.05)
_TEMPERATURES = (0.03, 0.07)
_NOISES = (0.01, 0.02)
_NO_PAIRS = "emoji without captions, Unicode's names for emoji in many languages, English names as the pivot; no pairs"
_PAIRS = "emoji with Unicode's names for them in the languages that are measured"
_PAIRS_ALONE = LossTerms(pseudo_image=False, intra=0)
"""With pairs in the place of the pivot there is nothing to make up, so only the direct term is left."""


@dataclass(frozen=True, slots=True)
class Trial:
    """A recipe that was tried, and its mean Recall@10 from text to image on the validation concepts."""

    recipe: Recipe
    score: float

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {"recipe": asdict(self.recipe), "score": self.score}


class Trainer:
    """Trains heads of one kind after another on the same features."""

    def __init__(
        self, features: Path, encoders: TrainedEncoders, plan: ExperimentPlan, say: Callable[[str], None]
    ) -> None:
        self._features = features
        self._encoders = encoders
        self._say = say
        self.paper = Recipe(
            dimension=plan.common, batch=plan.batch, epochs=plan.epochs, seed=plan.seed, patience=4, device="cpu"
        )

    def fit(self, recipe: Recipe, path: Path, gallery: str, supervised: bool = False) -> Scores:
        """Train heads and write them in half precision, with their recall on a gallery: the mean over languages."""
        banks = open_banks(self._features, self._encoders, small=supervised)
        heads = train(open_pivot(self._features, "pairs" if supervised else "pivot"), banks, recipe).heads.half()
        card = self._card(recipe, _PAIRS if supervised else _NO_PAIRS)
        save_projector(path, heads, card)
        # Read back, so that what is measured is what is shipped.
        projector, pictures = Projector.load(path, card.text, card.clip), open_gallery(self._features, gallery)
        scores = mean([projected(projector, pictures, language) for language in MEASURED])
        save_projector(path, heads, replace(card, scores=scores))
        return scores

    def _card(self, recipe: Recipe, data: str) -> ProjectorCard:
        text, clip = self._encoders.text, self._encoders.clip
        return ProjectorCard(
            EncoderRef("pictogram-text", text.fingerprint, text.dimension),
            EncoderRef("pictogram-clip", clip.fingerprint, clip.dimension),
            recipe.dimension,
            data,
        )

    def choose(self, scratch: Path, supervised: bool = False) -> list[Trial]:
        """Try recipes, one number changed at a time from the best so far, beginning at the paper's; the best first."""
        start = replace(self.paper, terms=_PAIRS_ALONE) if supervised else self.paper
        trials = [self._try(start, scratch, supervised)]
        for step in _steps(supervised):
            best = max(trials, key=lambda trial: trial.score).recipe
            trials += [self._try(changed, scratch, supervised) for changed in step(best)]
        return sorted(trials, key=lambda trial: -trial.score)

    def _try(self, recipe: Recipe, scratch: Path, supervised: bool) -> Trial:
        score = self.fit(recipe, scratch / "trial.safetensors", VALIDATION, supervised)[_CHOSEN_BY]
        self._say(
            f"{SUPERVISED if supervised else UCLIP}: retrieval {recipe.retrieval_temperature}, temperature "
            f"{recipe.terms.temperature}, noise {recipe.noise}: {_CHOSEN_BY} {score:.3f} on validation concepts"
        )
        return Trial(recipe, score)


def projected(projector: Projector, gallery: Gallery, language: str) -> Scores:
    """Recall of captions of one language in the common space."""
    texts = projector.project_text(gallery.sentences[language])
    return recalls(texts, projector.project_clip(gallery.images))


def ablations(recipe: Recipe) -> dict[str, Recipe]:
    """The paper's: the same recipe with one part left out."""
    terms = recipe.terms
    return {
        "without intra loss": replace(recipe, terms=replace(terms, intra=0)),
        "without text loss": replace(recipe, terms=replace(terms, text=False)),
        "without pseudo-image loss": replace(recipe, terms=replace(terms, pseudo_image=False)),
        "without noise": replace(recipe, noise=0),
    }


def _steps(supervised: bool) -> Iterator[Callable[[Recipe], list[Recipe]]]:
    yield lambda best: [replace(best, noise=value) for value in _NOISES]
    if not supervised:
        yield lambda best: [replace(best, retrieval_temperature=value) for value in _RETRIEVAL_TEMPERATURES]
    yield lambda best: [replace(best, terms=replace(best.terms, temperature=value)) for value in _TEMPERATURES]
