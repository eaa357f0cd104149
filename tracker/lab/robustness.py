"""Spoil faces in known ways, to see what accuracy is left: blur, noise, resolution, and framing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from tracker.fer.engine import Engine
from tracker.lab.datasets import LabelledFaces
from tracker.lab.evaluation import judge, read_logits

Images = NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Robustness:
    """Accuracy and macro-F1 of a head under one kind of change at one strength."""

    change: str
    strength: str
    head: str
    accuracy: float
    macro_f1: float


def blur(images: Images, sigma: float) -> Images:
    """Blur with a Gaussian; `sigma` in pixels of the 48."""
    return np.stack([cv2.GaussianBlur(image, (0, 0), sigma) for image in images]).astype(np.uint8)


def noise(images: Images, sigma: float) -> Images:
    """Add Gaussian noise; `sigma` in grey levels of 255. The same noise at every call."""
    added = np.random.default_rng(0).normal(0, sigma, images.shape)
    return np.clip(images + added, 0, 255).round().astype(np.uint8)


def shrink(images: Images, factor: float) -> Images:
    """Lose resolution: down to `factor` of the side and back up."""
    side = images.shape[1]
    small = max(2, round(side * factor))
    return np.stack(
        [
            cv2.resize(cv2.resize(i, (small, small), interpolation=cv2.INTER_AREA), (side, side))
            for i in images
        ]
    ).astype(np.uint8)


def shift(images: Images, share: float) -> Images:
    """Move by a share of the side, every face to a direction of its own; borders are repeated."""
    angles = np.random.default_rng(0).uniform(0, 2 * np.pi, len(images))
    side = images.shape[1]
    return _warp(images, [(1.0, share * side * np.cos(a), share * side * np.sin(a)) for a in angles])


def margin(images: Images, share: float) -> Images:
    """Frame looser (positive: the face shrinks, borders are repeated) or tighter, by a share on each side."""
    return _warp(images, [(1 / (1 + 2 * share), 0.0, 0.0)] * len(images))


def _warp(images: Images, moves: list[tuple[float, float, float]]) -> Images:
    side = images.shape[1]
    middle = (side - 1) / 2
    out = []
    for image, (scale, dx, dy) in zip(images, moves, strict=True):
        matrix = np.array([[scale, 0, middle * (1 - scale) + dx], [0, scale, middle * (1 - scale) + dy]])
        out.append(cv2.warpAffine(image, matrix, (side, side), borderMode=cv2.BORDER_REPLICATE))
    return np.stack(out).astype(np.uint8)


_CHANGES: tuple[tuple[str, Callable[[Images, float], Images], tuple[float, ...], str], ...] = (
    ("blur", blur, (0.5, 1.0, 1.5), "sigma {} px"),
    ("noise", noise, (5.0, 10.0, 20.0), "sigma {} of 255"),
    ("resolution", shrink, (0.75, 0.5, 0.33), "{} of the side"),
    ("shift", shift, (0.05, 0.1, 0.15), "{} of the side"),
    ("margin", margin, (-0.1, 0.1, 0.2), "{:+} on each side"),
)


def robustness(
    engine: Engine, faces: LabelledFaces, report: Callable[[str], None] = lambda _: None
) -> tuple[Robustness, ...]:
    """Judge every head under every change at three strengths.

    Parameters
    ----------
    engine
        Runs the network.
    faces
        Never PrivateTest: that is touched once, unspoilt.
    report
        Told what is being tried.
    """
    found = []
    for name, change, strengths, wording in _CHANGES:
        for strength in strengths:
            report(f"{name} {wording.format(strength)}")
            spoilt = replace(faces, images=change(faces.images, strength))
            logits = read_logits(engine, spoilt)
            for head in engine.network.spec.heads:
                e = judge(engine, spoilt, logits, head.name, resamples=0)
                found.append(Robustness(name, wording.format(strength), head.name, e.accuracy, e.macro_f1))
    return tuple(found)
