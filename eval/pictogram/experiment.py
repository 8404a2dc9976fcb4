"""The experiment from the first to the last stage."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, replace
from functools import cached_property
from pathlib import Path

from eval.pictogram.measures import Scores, recalls
from eval.pictogram.plan import ExperimentPlan
from eval.pictogram.report import FOREIGN_WORDS, NO_PROJECTOR, TRANSLATED, write_report
from eval.pictogram.stages import ExperimentStages
from eval.pictogram.training.clip import train_clip
from eval.pictogram.training.features import SEEN_CONCEPTS, TEST, Gallery, TrainedEncoders, make_features, open_gallery
from eval.pictogram.training.heads import SUPERVISED, UCLIP, Trainer, ablations, projected
from eval.pictogram.training.text import train_text
from eval.pictogram.world.concepts import MEASURED, PIVOT
from eval.pictogram.world.world import World, make_world
from haystack_agent.encoders.projector import Projector
from haystack_agent.encoders.towers.pictogram import PictogramClip, PictogramText
from haystack_agent.uclip.recipe import Recipe

_FILES = ("config.json", "model.safetensors", "tokenizer.json")


class Experiment:
    """One run: everything it makes lies in one folder."""

    def __init__(self, folder: Path, plan: ExperimentPlan, say: Callable[[str], None]) -> None:
        self._folder = folder
        self._work = folder / "work"
        self._plan = plan
        self._say = say
        self._stages = ExperimentStages(self._work, plan, say)

    def run(self) -> None:
        """Do what is not done yet.

        Raises:
            ModelUnavailable: a Debian package is missing, or a file made before is damaged.
        """
        self._stages.run("clip", [self._folder / "clip" / name for name in _FILES], self._train_clip)
        self._stages.run("text", [self._folder / "text" / name for name in _FILES], self._train_text)
        self._stages.run("features", [self._features / f"{TEST}.safetensors"], self._make_features)
        self._stages.run("recipes", [self._work / "trials.json"], self._choose_recipes)
        self._stages.run("heads", [self._projector], self._train_heads)
        self._stages.run("measures", [self._folder / "results.json"], self._measure)
        write_report(self._folder, self._stages.seconds)
        self._say((self._folder / "results.md").read_text("utf-8"))

    @property
    def _features(self) -> Path:
        return self._work / "features"

    @property
    def _projector(self) -> Path:
        return self._folder / "projector.safetensors"

    @cached_property
    def _world(self) -> World:
        return make_world(self._plan.concepts, every_language=self._plan.every_language)

    @cached_property
    def _encoders(self) -> TrainedEncoders:
        return TrainedEncoders(PictogramText(self._folder / "text"), PictogramClip(self._folder / "clip"))

    @cached_property
    def _trainer(self) -> Trainer:
        return Trainer(self._features, self._encoders, self._plan, self._say)

    def _train_clip(self) -> None:
        train_clip(self._world.training, self._plan, self._folder / "clip", self._say)

    def _train_text(self) -> None:
        train_text(self._world.training, self._world.languages, self._plan, self._folder / "text", self._say)

    def _make_features(self) -> None:
        make_features(self._world, self._encoders, self._plan, self._features)

    def _choose_recipes(self) -> None:
        kinds = {UCLIP: self._trainer.choose(self._work), SUPERVISED: self._trainer.choose(self._work, supervised=True)}
        trials = {kind: [trial.to_dict() for trial in tried] for kind, tried in kinds.items()}
        (self._work / "trials.json").write_text(json.dumps(trials, indent=1) + "\n", "utf-8")

    def _recipe(self, kind: str) -> Recipe:
        values = json.loads((self._work / "trials.json").read_text("utf-8"))[kind][0]["recipe"]
        paper = self._trainer.paper
        return replace(paper, **{**values, "terms": replace(paper.terms, **values["terms"])})

    def _train_heads(self) -> None:
        recipe = self._recipe(UCLIP)
        for name, changed in ablations(recipe).items():
            self._say(f"heads: {name}")
            self._trainer.fit(changed, self._heads(name), TEST)
        self._say(f"heads: {SUPERVISED}")
        self._trainer.fit(self._recipe(SUPERVISED), self._heads(SUPERVISED), TEST, supervised=True)
        self._say(f"heads: {UCLIP}")
        self._trainer.fit(recipe, self._projector, TEST)

    def _heads(self, name: str) -> Path:
        return self._work / "heads" / f"{name.replace(' ', '-')}.safetensors"

    def _measure(self) -> None:
        systems = {UCLIP: Projector.load(self._projector)}
        names = (SUPERVISED, *ablations(self._trainer.paper))
        systems |= {name: Projector.load(self._heads(name)) for name in names}
        results = {name: scores_of(open_gallery(self._features, name), systems) for name in (TEST, SEEN_CONCEPTS)}
        parts = ("training", "validation", "test")
        about = {
            "plan": asdict(self._plan),
            "trials": json.loads((self._work / "trials.json").read_text("utf-8")),
            "concepts": {part: len(getattr(self._world, part).concepts) for part in parts},
            "languages": self._world.languages,
            "results": results,
        }
        (self._folder / "results.json").write_text(json.dumps(about, indent=1, ensure_ascii=False) + "\n", "utf-8")


def scores_of(gallery: Gallery, systems: Mapping[str, Projector]) -> dict[str, dict[str, Scores]]:
    """Every system's recall in every language."""
    scores: dict[str, dict[str, Scores]] = {
        name: {language: projected(projector, gallery, language) for language in (PIVOT, *MEASURED)}
        for name, projector in systems.items()
    }
    english = recalls(gallery.english_tower[PIVOT], gallery.images)
    scores[TRANSLATED] = dict.fromkeys((PIVOT, *MEASURED), english)
    for language in (PIVOT, *MEASURED):
        scores.setdefault(FOREIGN_WORDS, {})[language] = recalls(gallery.english_tower[language], gallery.images)
        scores.setdefault(NO_PROJECTOR, {})[language] = recalls(gallery.sentences[language], gallery.images)
    return scores
