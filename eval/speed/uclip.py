"""What uCLIP costs: ``python -m eval.speed.uclip``.

Training: the memory that banks of two million rows take, soft retrieval beside the two bare matrix products that it
cannot spare, and a step of training beside the bare products of its heads. Pictures: the making of a bank from files
beside the bare CLIP tower on pixels that lie ready, with a tower of real size and random weights.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import resource
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np

from haystack_agent.uclip.bank import Bank, build_bank
from haystack_agent.uclip.recipe import Recipe
from haystack_agent.uclip.training import Pivot, train
from haystack_agent.vectors import FloatArray

WIDTHS = (512, 384)
"""Of a CLIP, and of a sentence encoder."""
QUERIES = 1024
_CHUNK = 65_536
_SIDES = (1600, 1200)
_BATCH = 32


def random_rows(count: int, width: int, seed: int) -> Iterator[FloatArray]:
    """Random rows in batches."""
    drawn = np.random.default_rng(seed)
    for first in range(0, count, _CHUNK):
        yield drawn.standard_normal((min(_CHUNK, count - first), width), dtype=np.float32)


def _unit(count: int, width: int) -> FloatArray:
    rows = np.concatenate(list(random_rows(count, width, 9)))
    return np.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True), dtype=np.float32)


def training_cost(folder: Path, rows: int) -> dict[str, float]:
    """Peak memory in GB of a process that builds both banks and trains on them, and seconds of its parts."""
    began = time.perf_counter()
    clip, text = (
        build_bank(folder / str(width), random_rows(rows, width, width), f"random-{width}") for width in WIDTHS
    )
    built = time.perf_counter()
    pivot = Pivot(_unit(QUERIES, text.card.width), _unit(QUERIES, clip.card.width))
    train(pivot, (clip, text), Recipe(epochs=1, device="cpu"))
    trained = time.perf_counter()
    bare = sum(_bare_retrieval(bank) for bank in (clip, text))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    return {"peak_gb": peak, "build_s": built - began, "train_s": trained - built, "bare_s": bare}


def _bare_retrieval(bank: Bank) -> float:
    """Seconds to read a bank and multiply queries with it and it with as many weights; no softmax."""
    import torch

    queries = torch.from_numpy(_unit(QUERIES, bank.card.width))
    began = time.perf_counter()
    with torch.inference_mode():
        for first in range(0, bank.card.count, _CHUNK):
            rows = torch.from_numpy(np.asarray(bank.vectors[first : first + _CHUNK], dtype=np.float32))
            _ = queries @ rows.T @ rows
    return time.perf_counter() - began


def step_cost(folder: Path, captions: int = 20 * 512) -> tuple[float, float]:
    """Seconds of a training step with batches of 512, and of the bare matrix products of its heads."""
    clip, text = (
        build_bank(folder / f"small-{width}", random_rows(2000, width, width), f"random-{width}") for width in WIDTHS
    )
    pivot = Pivot(_unit(captions, text.card.width), _unit(captions, clip.card.width))
    ends: list[float] = []
    # The first epoch also holds what is computed once.
    train(pivot, (clip, text), Recipe(epochs=4, device="cpu"), on_epoch=lambda _: ends.append(time.perf_counter()))
    steps = -(-round(captions * (1 - Recipe().held_out)) // 512)
    return float(np.median(np.diff(ends))) / steps, _bare_step()


def _bare_step(rounds: int = 20) -> float:
    """Forward and backward products of both heads for two times 512 rows each."""
    import torch

    shapes = [(width, 2 * width) for width in WIDTHS] + [(2 * width, 512) for width in WIDTHS]
    pairs = [(torch.randn(QUERIES, one), torch.randn(one, other)) for one, other in shapes]
    began = time.perf_counter()
    for _ in range(rounds):
        for rows, weights in pairs:
            out = rows @ weights
            _ = rows.T @ out, out @ weights.T
    return (time.perf_counter() - began) / rounds


def picture_rates(folder: Path, files: Path, model: str, threads: int) -> tuple[int, float, float]:
    """Number of pictures, pictures a second from files to a bank, and of the bare tower with as many threads."""
    import torch
    from PIL import Image

    from haystack_agent.encoders.hub import Hub
    from haystack_agent.encoders.towers.open_clip import OpenClipTower
    from haystack_agent.uclip.job import image_bank
    from ingest.looking import looks_of, pictures_in
    from ingest.pipeline import default_workers

    before = torch.get_num_threads()
    network = write_random_clip(folder / "tower", model)
    tower = OpenClipTower(str(folder / "tower"), hub=Hub(folder / "hub", offline=True), device="cpu", batch=_BATCH)
    tower.encode_images([Image.new("RGB", (224, 224))] * _BATCH)  # warm
    found = pictures_in([files], tower.image_size)
    batches = max(1, len(found) // _BATCH)
    images = (
        Image.frombytes("RGB", (look.width, look.height), look.rgb) for look in looks_of(found, default_workers())
    )
    torch.set_num_threads(threads)
    try:
        first = _bare_rate(network, tower.image_size, batches)
        began = time.perf_counter()
        bank = image_bank(folder / "bank", images, tower, "made pictures")
        ours = bank.card.count / (time.perf_counter() - began)
        second = _bare_rate(network, tower.image_size, batches)
    finally:
        torch.set_num_threads(before)
    return bank.card.count, ours, (first + second) / 2  # the speed of a shared machine drifts


def _bare_rate(network: Any, side: int, batches: int) -> float:
    """Pictures a second of a network on pixels that lie ready."""
    import torch

    pixels = torch.randn(_BATCH, 3, side, side)
    with torch.inference_mode():
        began = time.perf_counter()
        for _ in range(batches):
            network.encode_image(pixels)
    return batches * _BATCH / (time.perf_counter() - began)


def write_random_clip(folder: Path, name: str) -> Any:
    """A network of a known shape with random weights, also written to a folder in open_clip's format."""
    import open_clip
    from safetensors.torch import save_file

    config = open_clip.get_model_config(name)
    network = open_clip.CLIP(**config).eval()
    folder.mkdir(exist_ok=True)
    (folder / "open_clip_config.json").write_text(json.dumps({"model_cfg": config, "preprocess_cfg": {}}), "utf-8")
    save_file(network.state_dict(), folder / "open_clip_model.safetensors")
    return network


def make_photos(folder: Path, count: int) -> None:
    """JPEG pictures of two megapixels with as much detail as photos have."""
    from PIL import Image

    folder.mkdir()
    for number in range(count):
        bands = [Image.effect_noise((_SIDES[0] // 3, _SIDES[1] // 3), 12) for _ in range(3)]
        Image.merge("RGB", bands).resize(_SIDES, Image.Resampling.BICUBIC).save(folder / f"{number}.jpg", quality=85)


def _in_a_process(action: Callable[..., Any], *arguments: Any) -> Any:
    """What the action returns, run alone, so that its memory is its own."""
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:
        return pool.submit(action, *arguments).result()


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=2_000_000, help="of each bank")
    parser.add_argument("--pictures", type=Path, help="a folder with pictures; made ones by default")
    parser.add_argument("--count", type=int, default=512, help="pictures to make")
    parser.add_argument("--model", default="ViT-B-32", help="open_clip's name of a tower")
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as name:
        scratch = Path(name)
        cost = _in_a_process(training_cost, scratch, options.rows)
        flops = sum(4 * QUERIES * options.rows * width for width in WIDTHS)
        size = sum(2 * options.rows * width for width in WIDTHS)
        _say(
            f"banks     2 x {options.rows} rows, {size / 1e9:.1f} GB: built in {cost['build_s']:.0f} s; "
            f"at most {cost['peak_gb']:.1f} GB of memory while building and training"
        )
        _say(
            f"retrieval {cost['train_s']:8.1f} s ({QUERIES} captions)  bare read and products {cost['bare_s']:8.1f} s"
            f"   ratio {cost['train_s'] / cost['bare_s']:.2f}   ({flops / cost['train_s'] / 1e9:.0f} GFLOP/s)"
        )
        step, bare_step = step_cost(scratch)
        _say(f"step      {step * 1000:8.1f} ms  bare products {bare_step * 1000:8.1f} ms  ratio {step / bare_step:.2f}")
        files = options.pictures or scratch / "pictures"
        if options.pictures is None:
            make_photos(files, options.count)
        cores = os.cpu_count() or 1
        for threads, note in ((max(1, cores - 1), "a core left to decode"), (cores, "decoding on the tower's cores")):
            count, ours, bare = picture_rates(scratch, files, options.model, threads)
            rates = f"{ours:8.1f} /s  bare tower {bare:8.1f} /s  share {ours / bare:.2f}"
            _say(f"pictures  {rates}   ({count} files, {note})")


def _say(line: str) -> None:
    print(line, flush=True)  # noqa: T201


if __name__ == "__main__":
    main()
