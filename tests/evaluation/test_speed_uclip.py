"""The benchmark of uCLIP runs and says what it measured; how fast is no matter of tests."""

from __future__ import annotations

import re

import pytest

from eval.speed.uclip import main


def test_every_part_is_measured_beside_something_bare(capsys: pytest.CaptureFixture[str]) -> None:
    main(["--rows", "3000", "--count", "40", "--model", "ViT-S-32-alt"])
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == ["banks", "retrieval", "step", "pictures", "pictures"]
    assert "2 x 3000 rows" in lines[0] and all("40 files" in line for line in lines[3:])
    ratios = [float(found) for line in lines for found in re.findall(r"(?:ratio|share) +([\d.]+)", line)]
    assert len(ratios) == 4 and all(ratio > 0 for ratio in ratios)
