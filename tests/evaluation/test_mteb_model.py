"""Profiles as models of MTEB, through MTEB's own evaluator, on tasks that are made here."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from datasets import Dataset  # type: ignore[import-untyped]
from mteb.abstasks.retrieval import AbsTaskRetrieval
from mteb.abstasks.retrieval_dataset_loaders import RetrievalSplitData
from mteb.abstasks.task_metadata import TaskMetadata
from PIL import Image, ImageDraw

from eval.mteb_model import ProfileModel, evaluate, main, tasks_named
from haystack_agent.encoders.profile import profile_named
from haystack_agent.errors import UsageError
from haystack_agent.vectors import FloatArray

THINGS = ("a red heart", "the sun", "a green tree", "a blue wave", "the moon", "an apple", "a black cat", "snow")
ASKED = ("heart", "slunce", "tree in summer", "sea", "night sky", "fruit", "animal", "winter")
COLOURS = ("red", "gold", "green", "blue", "silver", "darkred", "black", "white")


def shape(number: int) -> Image.Image:
    """A picture that differs from the others in colour and form; half of them with transparency."""
    picture = Image.new("RGBA" if number % 2 else "RGB", (40 + 8 * number, 64), "beige")
    draw = ImageDraw.Draw(picture)
    draw.ellipse((8, 8, 20 + 3 * number, 56), fill=COLOURS[number])
    return picture


class Local(AbsTaskRetrieval):
    """Each question is answered by the thing of the same number."""

    def corpus(self) -> Dataset:
        return Dataset.from_dict({"id": [f"d{n}" for n in range(len(THINGS))], "text": list(THINGS)})

    def load_data(self, num_proc: int | None = None, **_: Any) -> None:
        queries = Dataset.from_dict({"id": [f"q{n}" for n in range(len(ASKED))], "text": list(ASKED)})
        relevant = {f"q{n}": {f"d{n}": 1} for n in range(len(ASKED))}
        split = RetrievalSplitData(corpus=self.corpus(), queries=queries, relevant_docs=relevant, top_ranked=None)
        self.dataset = {"default": {"test": split}}
        self.data_loaded = True


def described(name: str, category: str, modalities: list[str]) -> TaskMetadata:
    return TaskMetadata.model_validate(
        {
            "name": name,
            "description": "Things and what is asked about them.",
            "reference": None,
            "dataset": {"path": "nowhere/local", "revision": "1"},
            "type": "Retrieval" if category == "t2t" else "Any2AnyRetrieval",
            "category": category,
            "modalities": modalities,
            "eval_splits": ["test"],
            "eval_langs": ["eng-Latn"],
            "main_score": "ndcg_at_10",
        }
    )


class Words(Local):
    metadata = described("LocalWords", "t2t", ["text"])


class Pictures(Local):
    metadata = described("LocalPictures", "t2i", ["text", "image"])

    def corpus(self) -> Dataset:
        shapes = [shape(number) for number in range(len(THINGS))]
        return Dataset.from_dict({"id": [f"d{n}" for n in range(len(THINGS))], "image": shapes})


class Sounds(Words):
    metadata = described("LocalSounds", "t2a", ["text", "audio"])


class Unreachable(Words):
    """A task whose data are on a hub that is not there."""

    def load_data(self, num_proc: int | None = None, **_: Any) -> None:
        raise ConnectionError("Couldn't reach 'nowhere/local' on the Hub")


@pytest.fixture(scope="module")
def model() -> ProfileModel:
    return ProfileModel(profile_named("pictogram"))


def expected(asked: FloatArray, things: FloatArray) -> dict[str, float]:
    """Mean nDCG@10 and Recall@3 where the one right thing of question n is thing n."""
    cosines = asked @ things.T
    ranks = (cosines > np.diag(cosines)[:, None]).sum(axis=1) + 1
    return {"ndcg_at_10": float((1 / np.log2(ranks + 1)).mean()), "recall_at_3": float((ranks <= 3).mean())}


def scores_of(model: ProfileModel, task: AbsTaskRetrieval) -> Mapping[str, Any]:
    [result] = evaluate(model, [task])
    [scores] = result.scores["test"]
    return scores


def test_text_goes_through_the_sentence_encoder(model: ProfileModel) -> None:
    text = profile_named("pictogram").load().text
    asked = np.stack([text.encode_query(one) for one in ASKED])
    wanted = expected(asked, text.encode_passages(THINGS))
    assert 0.3 < wanted["ndcg_at_10"] < 1, "the task must be neither hopeless nor trivial"
    found = scores_of(model, Words())
    assert {name: found[name] for name in wanted} == pytest.approx(wanted, abs=1e-4)


def test_pictures_and_questions_meet_in_the_common_space(model: ProfileModel) -> None:
    encoders = profile_named("pictogram").load()
    assert encoders.sight is not None
    assert encoders.sight.projector is not None
    asked = encoders.sight.projector.project_text(np.stack([encoders.text.encode_query(one) for one in ASKED]))
    seen = [shape(number).convert("RGB") for number in range(len(THINGS))]
    things = encoders.sight.projector.project_clip(encoders.sight.pictures.encode_images(seen))
    wanted = expected(asked, things)
    assert 0 < wanted["ndcg_at_10"] < 1
    found = scores_of(model, Pictures())
    assert {name: found[name] for name in wanted} == pytest.approx(wanted, abs=1e-4)


def test_a_text_with_a_picture_is_the_direction_between_both(model: ProfileModel) -> None:
    def encode(**batch: list[Any]) -> FloatArray:
        return model.encode([batch], task_metadata=Pictures.metadata, hf_split="test", hf_subset="default")

    text, picture = encode(text=["the sun"]), encode(image=[shape(1)])
    middle = (text + picture) / np.linalg.norm(text + picture)
    assert encode(text=["the sun"], image=[shape(1)]) == pytest.approx(middle, abs=1e-6)
    assert float(model.similarity_pairwise(middle, text)[0]) == pytest.approx(float((middle * text).sum()), abs=1e-5)


def test_results_are_kept_under_the_profiles_fingerprint(model: ProfileModel, tmp_path: Path) -> None:
    first = evaluate(model, [Words()], tmp_path)
    assert len(list(tmp_path.rglob(f"{profile_named('pictogram').fingerprint}/LocalWords.json"))) == 1

    class Gone(Unreachable):
        metadata = Words.metadata

    assert evaluate(model, [Gone()], tmp_path)[0].get_score() == first[0].get_score()


def test_a_profile_that_does_not_see_says_so() -> None:
    with pytest.raises(UsageError, match="LocalPictures has pictures, and the profile offline does not see them"):
        evaluate(ProfileModel(profile_named("offline")), [Pictures()])


def test_sounds_are_refused(model: ProfileModel) -> None:
    with pytest.raises(UsageError, match="LocalSounds has audio"):
        model.encode([], task_metadata=Sounds.metadata, hf_split="test", hf_subset="default")


def test_data_that_cannot_be_had_is_said(model: ProfileModel) -> None:
    with pytest.raises(UsageError, match=r"The data of LocalWords cannot be had \(Couldn't reach"):
        evaluate(model, [Unreachable()])


def test_the_command_names_what_it_does_not_know(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--profile", "pictogram", "--tasks", "XM3600T2IRetrieva"]) == 2
    assert "Did you mean: 'XM3600T2IRetrieval'" in capsys.readouterr().err
    assert main(["--profile", "nothing", "--tasks", "XM3600T2IRetrieval"]) == 2
    assert "there is no profile 'nothing'" in capsys.readouterr().err


def test_the_command_prints_a_table(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr("eval.mteb_model.tasks_named", lambda names, languages: [Words()])
    assert main(["--profile", "pictogram", "--tasks", "LocalWords"]) == 0
    assert "| LocalWords | test | default | ndcg_at_10 | 0." in capsys.readouterr().out


def test_tasks_are_cut_to_languages() -> None:
    [task] = tasks_named(["XM3600T2IRetrieval"], ["ces", "hun"])
    assert sorted(task.hf_subsets) == ["cs", "hu"]


def test_without_mteb_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "mteb", None)
    with pytest.raises(UsageError, match=r'pip install "haystack-agent\[mteb\]"'):
        ProfileModel(profile_named("pictogram"))
