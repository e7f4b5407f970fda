"""Confidence of whole texts that means something: learnt from held-back strips."""

from __future__ import annotations

from dataclasses import replace

from convert.examples import Examples
from edge.inference.manifest import Manifest
from edge.inference.strip import StripReader


def calibrated_strips(manifest: Manifest, content: bytes, heldback: Examples) -> Manifest:
    """The manifest with threshold and held-back accuracy, the share of texts that are right, in percent."""
    reader = StripReader(manifest, content)
    found = [reader.read([strip]) for strip in heldback.inputs()]
    right = sum(said.text == text for said, text in zip(found, heldback.labels.tolist(), strict=True))
    return replace(
        manifest, metrics={"heldback": {"n": len(heldback), "accuracy": round(100 * right / len(heldback), 3)}}
    )
