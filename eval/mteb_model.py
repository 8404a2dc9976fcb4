"""A profile's encoders as a model of MTEB: ``python -m eval.mteb_model --profile NAME_OR_FILE --tasks NAME ...``.

Tasks of text alone use the sentence encoder; tasks with pictures use the common space, in which texts go through the
text head and pictures through the CLIP head, as they do in an index. MTEB (Muennighoff et al. 2023; with pictures:
MIEB, Xiao et al. 2025) fetches the data of its tasks itself. Example: ``--profile mine.toml --tasks XM3600T2IRetrieval
--languages ces hun``. A score tells how good the vectors are; fusion, filters and answers have no part in it.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from haystack_agent.encoders.profile import Profile, profile_named
from haystack_agent.errors import HaystackError, UsageError
from haystack_agent.vectors import FloatArray

if TYPE_CHECKING:
    import torch
    from mteb import TaskResult
    from mteb.abstasks import AbsTask
    from mteb.abstasks.task_metadata import TaskMetadata
    from mteb.models import ModelMeta
    from mteb.types import Array, PromptType


class ProfileModel:
    """The encoders of a profile behind MTEB's `EncoderProtocol`."""

    def __init__(self, profile: Profile) -> None:
        """Load the encoders.

        Raises:
            UsageError: MTEB is not installed.
            ModelUnavailable: the profile's models cannot be loaded.
        """
        _require_mteb()
        self._profile = profile
        self._encoders = profile.load()

    def check(self, task: TaskMetadata) -> None:
        """Raise `UsageError` where a task has pictures and the profile does not see, or has sounds or films."""
        others = set(task.modalities) - {"text", "image"}
        if others:
            raise UsageError(f"{task.name} has {', '.join(sorted(others))}: profiles encode text and images.")
        if "image" in task.modalities and self._encoders.sight is None:
            raise UsageError(f"{task.name} has pictures, and the profile {self._profile.name} does not see them.")

    def encode(
        self,
        inputs: Iterable[Mapping[str, Any]],
        *,
        task_metadata: TaskMetadata,
        hf_split: str,
        hf_subset: str,
        prompt_type: PromptType | None = None,
        **kwargs: Any,
    ) -> FloatArray:
        """Encode batches to an array of shape (items, dimension), rows of length 1.

        An item with a text and a picture becomes the mean direction of both. The options in `kwargs` (the batch is cut
        by MTEB already) do not change what is computed.

        Raises:
            UsageError: see `check`.
        """
        del hf_split, hf_subset, kwargs
        self.check(task_metadata)
        asked = prompt_type is not None and prompt_type.value == "query"
        encode = self._seen if "image" in task_metadata.modalities else self._read
        return np.concatenate([encode(batch, asked) for batch in inputs])

    def similarity(self, embeddings1: Array, embeddings2: Array) -> torch.Tensor:
        """Cosines of every row of one with every row of the other."""
        from mteb.similarity_functions import cos_sim

        return cos_sim(embeddings1, embeddings2)

    def similarity_pairwise(self, embeddings1: Array, embeddings2: Array) -> Array:
        """Cosines of the rows of one with the same rows of the other."""
        from mteb.similarity_functions import pairwise_cos_sim

        return pairwise_cos_sim(embeddings1, embeddings2)

    @property
    def mteb_model_meta(self) -> ModelMeta:
        """What MTEB writes beside the results; the revision is the profile's fingerprint."""
        from mteb.models import ModelMeta
        from mteb.models.model_meta import ScoringFunction

        sight = self._encoders.sight
        return ModelMeta(
            loader=None,
            name=f"haystack-agent/{Path(self._profile.name).stem}",
            revision=self._profile.fingerprint,
            release_date=None,
            languages=None,
            n_parameters=None,
            memory_usage_mb=None,
            max_tokens=None,
            embed_dim=sight.dimension if sight else self._encoders.text.dimension,
            license=None,
            open_weights=None,
            public_training_code=None,
            public_training_data=None,
            framework=[],
            similarity_fn_name=ScoringFunction.COSINE,
            use_instructions=None,
            training_datasets=None,
            modalities=["image", "text"] if sight else ["text"],
        )

    def _read(self, batch: Mapping[str, Any], asked: bool) -> FloatArray:
        """A batch of texts by the sentence encoder: questions and passages as the product encodes them."""
        texts = [str(text) for text in batch["text"]]
        if asked:
            return np.stack([self._encoders.text.encode_query(text) for text in texts])
        return self._encoders.text.encode_passages(texts)

    def _seen(self, batch: Mapping[str, Any], asked: bool) -> FloatArray:
        """A batch in the common space."""
        sight = self._encoders.sight
        assert sight is not None  # noqa: S101 - `encode` refuses the task otherwise
        parts = []
        if "text" in batch:
            parts.append(sight.of_texts([str(text) for text in batch["text"]], self._read(batch, asked)))
        if "image" in batch:
            parts.append(sight.of_images([image.convert("RGB") for image in batch["image"]]))
        both: FloatArray = np.sum(parts, axis=0)
        unit: FloatArray = both / np.maximum(np.linalg.norm(both, axis=1, keepdims=True), 1e-12)
        return unit


def evaluate(model: ProfileModel, tasks: Iterable[AbsTask], results: Path | None = None) -> list[TaskResult]:
    """Run tasks; `results` is a folder in which MTEB keeps theirs, so that running again goes on.

    Raises:
        UsageError: the data of a task cannot be had, or the profile cannot do the task.
    """
    import mteb

    chosen = list(tasks)
    for task in chosen:
        model.check(task.metadata)
    cache = mteb.ResultCache(results) if results else None
    try:
        return list(mteb.evaluate(model, chosen, cache=cache, co2_tracker=False).task_results)
    except OSError as error:  # hub unreachable, data set unknown or gated: its library has only OSErrors for these
        names = ", ".join(task.metadata.name for task in chosen)
        raise UsageError(
            f"The data of {names} cannot be had ({error}): a connection to their hub is needed."
        ) from error


def tasks_named(names: Sequence[str], languages: Sequence[str] | None = None) -> list[AbsTask]:
    """MTEB's tasks of these names, in some languages only (ISO 639-3, such as ``ces``) where these are given.

    Raises:
        UsageError: MTEB is not installed, or has no such task.
    """
    _require_mteb()
    import mteb

    try:
        return [mteb.get_task(name, languages=list(languages) if languages else None) for name in names]
    except (KeyError, ValueError) as error:
        raise UsageError(f"MTEB has no such task ({error.args[0]}): see `mteb available-tasks`.") from error


def _require_mteb() -> None:
    """Raises `UsageError` where MTEB is missing."""
    try:
        import mteb  # noqa: F401
    except ImportError as error:
        raise UsageError('MTEB is not installed: run `pip install "haystack-agent[mteb]"`.') from error


def main(arguments: Sequence[str] | None = None) -> int:
    """Run tasks and print their main scores; the exit status."""
    parser = argparse.ArgumentParser(prog="python -m eval.mteb_model", description=__doc__)
    parser.add_argument("--profile", required=True, help="a profile's name, or a profile file")
    parser.add_argument("--tasks", nargs="+", required=True, metavar="NAME", help="tasks, by MTEB's names")
    parser.add_argument("--languages", nargs="+", metavar="CODE", help="only these of a task's languages (ISO 639-3)")
    parser.add_argument("--out", type=Path, help="a folder for the results; running again goes on")
    options = parser.parse_args(arguments)
    try:
        tasks = tasks_named(options.tasks, options.languages)
        found = evaluate(ProfileModel(profile_named(options.profile)), tasks, options.out)
    except HaystackError as error:
        print(error, file=sys.stderr)  # noqa: T201
        return 2
    measures = {task.metadata.name: task.metadata.main_score for task in tasks}
    print("\n".join(_table(found, measures)))  # noqa: T201
    return 0


def _table(found: Sequence[TaskResult], measures: Mapping[str, str]) -> Iterable[str]:
    yield "| task | split | subset | measure | score |"
    yield "|---|---|---|---|---:|"
    for result in found:
        for split, subsets in result.scores.items():
            for one in subsets:
                name = result.task_name
                row = (name, split, str(one["hf_subset"]), measures[name], f"{one['main_score']:.4f}")
                yield f"| {' | '.join(row)} |"


if __name__ == "__main__":
    sys.exit(main())
