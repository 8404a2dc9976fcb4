"""The state of a training run on disk, from which it goes on after an interruption; tensors as safetensors."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from haystack_agent.errors import ModelMismatch, ModelUnavailable
from haystack_agent.system.whole_files import replacing
from haystack_agent.uclip.recipe import Recipe

if TYPE_CHECKING:
    import torch

_FILE = "run.safetensors"
Row = tuple[int, float, float, bool]


@dataclass(frozen=True, slots=True)
class Snapshot:
    """How far a run is."""

    epoch: int = 0
    lowest: float = float("inf")
    """Lowest held-out loss so far."""
    stale: int = 0
    """Epochs since then."""
    history: tuple[Row, ...] = ()
    """Epoch, loss, held-out loss, and whether that was the lowest so far."""
    best: dict[str, torch.Tensor] | None = field(default=None, compare=False)

    def after(self, epoch: int, loss: float, held_out: float, better: bool, best: dict[str, torch.Tensor]) -> Snapshot:
        """The snapshot one epoch later."""
        lowest, stale = (held_out, 0) if better else (self.lowest, self.stale + 1)
        return Snapshot(epoch, lowest, stale, (*self.history, (epoch, loss, held_out, better)), best)


def save_snapshot(
    folder: Path, recipe: Recipe, snapshot: Snapshot, heads: torch.nn.Module, optimiser: torch.optim.Optimizer
) -> None:
    """Write the run's state; an older one is replaced in one step."""
    from safetensors.torch import save_file

    tensors = {f"heads.{name}": value for name, value in heads.state_dict().items()}
    tensors |= {f"best.{name}": value for name, value in (snapshot.best or {}).items()}
    for number, state in optimiser.state_dict()["state"].items():
        tensors |= {f"optimiser.{number}.{name}": value for name, value in state.items()}
    known = {name: value.detach().cpu().contiguous().clone() for name, value in tensors.items()}
    about = {
        "recipe": _without_device(recipe),
        "epoch": snapshot.epoch,
        "lowest": snapshot.lowest,
        "stale": snapshot.stale,
        "history": snapshot.history,
    }
    folder.mkdir(parents=True, exist_ok=True)
    with replacing(folder / _FILE) as draft:
        save_file(known, draft, {"run": json.dumps(about)})


def load_snapshot(folder: Path, recipe: Recipe, heads: torch.nn.Module, optimiser: torch.optim.Optimizer) -> Snapshot:
    """Put heads and optimiser into the state saved last; a fresh snapshot where nothing was saved.

    Raises:
        ModelUnavailable: what was saved is cut short or damaged.
        ModelMismatch: it belongs to a run with another recipe, or to other encoders.
    """
    from safetensors import SafetensorError, safe_open

    path = folder / _FILE
    if not path.exists():
        return Snapshot()
    try:
        with safe_open(path, "pt") as file:
            about = json.loads(file.metadata()["run"])
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - not a mapping
    except (SafetensorError, OSError, KeyError, TypeError, ValueError) as error:
        raise ModelUnavailable(f"The saved run {path} cannot be read ({error}): remove it and train again.") from error
    if about["recipe"] != _without_device(recipe):
        raise ModelMismatch(f"The folder {folder} holds a run with another recipe: name another folder, or remove it.")
    try:
        heads.load_state_dict(_part(tensors, "heads."))
    except RuntimeError as error:
        raise ModelMismatch(f"The folder {folder} holds a run with other encoders: name another folder.") from error
    best = _part(tensors, "best.")
    _restore(optimiser, _part(tensors, "optimiser."))
    device = next(heads.parameters()).device
    history = tuple((int(e), float(a), float(b), bool(c)) for e, a, b, c in about["history"])
    on_device = {name: value.to(device) for name, value in best.items()}
    return Snapshot(about["epoch"], about["lowest"], about["stale"], history, on_device)


def _restore(optimiser: torch.optim.Optimizer, tensors: dict[str, torch.Tensor]) -> None:
    state: dict[int, dict[str, torch.Tensor]] = {}
    for name, value in tensors.items():
        number, key = name.split(".", 1)
        state.setdefault(int(number), {})[key] = value
    optimiser.load_state_dict({"state": state, "param_groups": optimiser.state_dict()["param_groups"]})


def _part(tensors: dict[str, torch.Tensor], prefix: str) -> dict[str, torch.Tensor]:
    return {name.removeprefix(prefix): value for name, value in tensors.items() if name.startswith(prefix)}


def _without_device(recipe: Recipe) -> dict[str, object]:
    values = asdict(recipe)
    # More epochs or another machine continue the same run.
    return {name: value for name, value in values.items() if name not in ("device", "epochs", "patience")}
