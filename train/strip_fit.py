"""Fitting the network that reads whole numbers, by CTC on synthetic strips -> a run folder as of any network."""

from __future__ import annotations

import io
import time
from collections import deque
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from edge.errors import SourceError, UsageError
from edge.imaging.strips import ROWS
from edge.inference.manifest import DIGITS
from train.data import Data, Split, split
from train.fit import train_epochs
from train.interrupt import termination_is_an_exception
from train.model import Model, open_keras
from train.run import (
    REPRESENTATIVE,
    Epoch,
    Record,
    begin,
    data_record,
    find_model,
    versions,
    write_file,
)
from train.settings import FitSettings
from train.strip_model import LABELS, load_strip, spell, strip_network
from train.strip_pool import REUSED_AFTER, Making, Pool, Strips, batches, make_strips, open_synthesiser

# An epoch: so many chunks are made, and each round trains on the new chunk and on older ones.
ROUNDS = 8
# What the quantizer calibrates on; and what is held back for temperature, threshold and parity.
REPRESENTATIVE_STRIPS = 600
HELDBACK_STRIPS = 2000
# So many of those held back judge an epoch.
_JUDGED = 1000
# CTC's loss of a strip that is read all wrong is large, and its gradient with it.
_CLIP = 5.0
# The weights stored in the end are the mean over about so many last steps.
_AVERAGED = 1000


def start(settings: FitSettings, data: Data, run: Path, *, base: Path | None = None) -> Record:
    """Train a new strip network into `run` on numbers made of the digits of data, and give its record.

    base: a RUN whose weights it begins with. What is random hangs on settings.seed alone. Raises UsageError for
    settings that have no meaning here, SourceError for data without the ten digits, SinkError.
    """
    if settings.freeze:
        raise UsageError("--freeze: a strip network has no head to train alone; leave it out")
    if data.labels != DIGITS:
        raise SourceError(f"{data.source}: numbers are made of the ten digits, not of {', '.join(data.labels)}")
    parts = split(data, settings.validation_split, settings.limit)
    open_keras().utils.set_random_seed(settings.seed)
    network = strip_network(len(LABELS))
    if base is not None:
        network.set_weights(load_strip(find_model(base)).get_weights())
    _compile(network, settings)
    record = Record(
        model=settings.model,
        labels=LABELS,
        settings=settings,
        data=data_record(data, len(parts.x_train), len(parts.x_heldback)),
        parameters=int(network.count_params()),
        source=data.source,
        based_on=str(base) if base else None,
        versions=versions(),
    )
    begin(run, record)
    return train(network, record, parts, run, ())


def read_strips(network: Model, strips: Strips) -> list[str]:
    """The greedy texts of strips, each read at its own width."""
    texts = [""] * len(strips.texts)
    for width in np.unique(strips.widths):
        rows = np.flatnonzero(strips.widths == width)
        for at in range(0, len(rows), 128):
            part = rows[at : at + 128]
            x = strips.images[part, :, :width, None].astype(np.float32) / np.float32(255)
            for row, text in zip(part, spell(np.asarray(network(x, training=False))), strict=True):
                texts[row] = text
    return texts


def _compile(network: Model, settings: FitSettings) -> None:
    """Give it AdamW with a cosine schedule (up for half an epoch first) that averages weights."""
    keras = open_keras()
    steps = _steps(settings, Making.of(settings))
    rate = keras.optimizers.schedules.CosineDecay(
        settings.learning_rate / 20,
        decay_steps=max(1, settings.epochs * steps - steps // 2),
        alpha=0.005,
        warmup_target=settings.learning_rate,
        warmup_steps=max(1, steps // 2),
    )
    network.compile(
        optimizer=keras.optimizers.AdamW(
            rate,
            weight_decay=settings.weight_decay,
            global_clipnorm=_CLIP,
            use_ema=True,
            ema_momentum=1.0 - 1.0 / _AVERAGED,
        )
    )
    network.optimizer.build(network.trainable_variables)


def _steps(settings: FitSettings, making: Making) -> int:
    return ROUNDS * max(1, len(REUSED_AFTER) * making.chunk // settings.batch_size)


def train(network: Model, record: Record, parts: Split, run: Path, history: tuple[Epoch, ...]) -> Record:
    """Train a compiled strip network on to the epochs its record asks for; history is what it has behind it."""
    settings = record.settings
    making = Making.of(settings)
    step = _step(network)
    # A round looks back at older chunks: a resumed run has them made again.
    first = max(0, len(history) * ROUNDS - REUSED_AFTER[-1])
    with termination_is_an_exception(), Pool(parts.x_train, parts.y_train, making=making, first=first) as pool:
        held = _write_strips(run, parts, making)
        recent: deque[Strips] = deque(maxlen=REUSED_AFTER[-1] + 1)
        recent.extend(pool.take() for _ in range(len(history) * ROUNDS - first))

        def one_epoch(epoch: int) -> Epoch:
            return _epoch(network, settings, epoch, step, pool, recent, held)

        return train_epochs(network, record, run, history, one_epoch)


def _epoch(
    network: Model,
    settings: FitSettings,
    epoch: int,
    step: Callable[..., Any],
    pool: Pool,
    recent: deque[Strips],
    held: Strips | None,
) -> Epoch:
    """Train for one epoch (from 1): accuracy is of its last new chunk before it is trained on, val_ of those held."""
    seed = int(np.random.SeedSequence((settings.seed, epoch)).generate_state(1)[0])
    open_keras().utils.set_random_seed(seed)
    rng = np.random.default_rng(seed)
    begin = time.perf_counter()
    losses: list[float] = []
    accuracy = 0.0
    for number in range(ROUNDS):
        recent.append(pool.take())
        if number == ROUNDS - 1:
            accuracy, _ = _judge(network, recent[-1].first(settings.batch_size * 4))
        chunks = [recent[-1 - back] for back in REUSED_AFTER if back < len(recent)]
        for batch in batches(chunks, settings.batch_size, rng):
            losses.append(float(step(batch.x, batch.labels, batch.lengths)))
    if epoch == settings.epochs:
        network.optimizer.finalize_variable_values(network.trainable_variables)
    val_accuracy, val_loss = _judge(network, held.first(_JUDGED)) if held else (np.nan, np.nan)
    return Epoch(
        epoch=epoch,
        loss=float(np.mean(losses)),
        accuracy=accuracy,
        val_loss=val_loss,
        val_accuracy=val_accuracy,
        seconds=round(time.perf_counter() - begin, 3),
    )


def _step(network: Model) -> Callable[..., Any]:
    """One step of training, compiled: a batch's x, labels and lengths -> its loss before the step."""
    import tensorflow as tf

    spec = tf.TensorSpec

    @tf.function(  # type: ignore[untyped-decorator]
        input_signature=(
            spec((None, ROWS, None, 1), tf.float32),
            spec((None, None), tf.int32),
            spec((None,), tf.int32),
        )
    )
    def step(x: Any, labels: Any, lengths: Any) -> Any:
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean(_ctc(network(x, training=True), labels, lengths))
        gradients = tape.gradient(loss, network.trainable_variables)
        network.optimizer.apply_gradients(zip(gradients, network.trainable_variables, strict=True))
        return loss

    return step  # type: ignore[no-any-return]


def _ctc(logits: Any, labels: Any, lengths: Any) -> Any:
    """CTC losses (n,) of logits (n, T, 11) for labels (n, L) of which lengths (n,) count."""
    import tensorflow as tf

    times = tf.fill((tf.shape(logits)[0],), tf.shape(logits)[1])
    return tf.nn.ctc_loss(labels, logits, lengths, times, logits_time_major=False, blank_index=len(LABELS) - 1)


def _judge(network: Model, strips: Strips) -> tuple[float, float]:
    """Share of strips read right, and the mean CTC loss."""
    texts = read_strips(network, strips)
    right = float(np.mean([a == b for a, b in zip(texts, strips.texts, strict=True)]))
    rng = np.random.default_rng(0)
    plain = batches([strips], min(64, len(texts)), rng, still=True)
    losses = [float(np.mean(_ctc(network(b.x, training=False), b.labels, b.lengths))) for b in plain]
    return right, float(np.mean(losses))


def _write_strips(run: Path, parts: Split, making: Making) -> Strips | None:
    """Write what the quantizer and parity will see; the strips held back, None if no digits are.

    They are written before the first step, so that an interrupted run is whole, and anew for a resumed one.
    """
    few = replace(making, writers=max(1, making.writers // 10))
    part = min(1.0, 2 * making.chunk / HELDBACK_STRIPS)
    shown = make_strips(
        open_synthesiser(parts.x_train, parts.y_train, few), (making.seed, 4), round(part * REPRESENTATIVE_STRIPS)
    )
    held = None
    if len(parts.x_heldback):
        others = replace(few, seed=making.seed + 7919)  # other drawn writers, other paper
        synthesiser = open_synthesiser(parts.x_heldback, parts.y_heldback, others)
        held = make_strips(synthesiser, (making.seed, 2), round(part * HELDBACK_STRIPS))
    kept = held or shown.first(0)
    content = io.BytesIO()
    np.savez_compressed(
        content,
        images=shown.images,
        widths=shown.widths,
        texts=np.array(shown.texts),
        heldback_images=kept.images,
        heldback_widths=kept.widths,
        heldback_texts=np.array(kept.texts, dtype=np.str_),
    )
    write_file(run / REPRESENTATIVE, content.getvalue())
    return held
