"""`edge-train`: look at the data, train, judge, look at what went wrong, search hyperparameters."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Annotated, NoReturn

import typer

from edge.cli import door
from edge.errors import UsageError
from train.settings import FitSettings, Keep

app = typer.Typer(
    name="edge-train",
    help="Train a network that reads handwritten digits, and judge it.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,  # plain help starts faster and reads the same in a file
    context_settings={"help_option_names": ["-h", "--help"]},
)

DataOption = Annotated[
    Path | None,
    typer.Option("--data", help="An .npz, a folder of IDX files, or of LABEL/*.png; otherwise Keras downloads MNIST."),
]


Run = Annotated[Path, typer.Argument(help="A run folder, a .keras or an .h5 file.", metavar="RUN")]

# What a resumed run already knows; naming it again would be ignored, so it is refused.
SETTLED = (
    "model",
    "batch_size",
    "validation_split",
    "seed",
    "out",
    "base",
    "freeze",
    "force",
    "keep",
    "limit",
    "teacher",
    "accept_worse",
)


@app.callback()
def _root(quiet: door.Quiet = False, verbose: door.Verbose = False, version: door.Version = False) -> None:
    """Train a network that reads handwritten digits, and judge it."""


@app.command()
def explore(
    data: DataOption = None,
    seed: Annotated[int, typer.Option(help="Which digits are drawn.")] = 1,
    augmented: Annotated[bool, typer.Option("--augmented", help="Draw what --model is shown in training.")] = False,
    model: Annotated[str, typer.Option(help="With --augmented: paper or strip.")] = "paper",
    forms: Annotated[bool, typer.Option("--forms", help="Draw the written forms that are synthesised.")] = False,
    output: Annotated[Path, typer.Option("--output", "-o", help="The picture.")] = Path("out/explore.png"),
) -> None:
    """Look at the data: shapes, label counts, a picture of 24 digits; or at what a network is shown in training.

    Example: edge-train explore --seed 7 -o out/explore.png

    Example: edge-train explore --augmented --model strip -o out/strips.png
    """
    from train.explore import explore as look
    from train.explore import explore_augmented, explore_forms

    if forms:
        typer.echo(explore_forms(seed=seed, output=output))
    elif augmented:
        typer.echo(explore_augmented(model, data, seed=seed, output=output))
    else:
        typer.echo(look(data, seed=seed, output=output))


@app.command()
def fit(
    context: typer.Context,
    model: Annotated[str, typer.Option(help="Which network: lecture, paper, teacher, strip.")] = "lecture",
    epochs: Annotated[int | None, typer.Option(help="Passes over the data; with --resume so many more.")] = None,
    batch_size: Annotated[int | None, typer.Option(help="Digits a step.")] = None,
    validation_split: Annotated[float, typer.Option(help="Share held back, from the end.")] = 0.1,
    seed: Annotated[int, typer.Option(help="Same seed, same machine: same weights.")] = 1,
    data: DataOption = None,
    out: Annotated[Path | None, typer.Option(help="The run folder; otherwise runs/MODEL-DATE.")] = None,
    resume: Annotated[Path | None, typer.Option(help="Train this run on, optimizer state too.")] = None,
    base: Annotated[Path | None, typer.Option("--from", help="Take over the network of this RUN.")] = None,
    teacher: Annotated[Path | None, typer.Option(help="For paper: learn what this RUN says of each digit.")] = None,
    freeze: Annotated[bool, typer.Option("--freeze", help="With --from: train only a new head.")] = False,
    force: Annotated[bool, typer.Option("--force", help="Replace the model that --out holds.")] = False,
    keep: Annotated[Keep, typer.Option(help="Which epoch is stored.")] = "last",
    limit: Annotated[int | None, typer.Option(help="Train on the first so many digits only.")] = None,
    accept_worse: Annotated[
        bool, typer.Option("--accept-worse", help="With --from and corrected digits: take what reads worse, too.")
    ] = False,
) -> None:
    """Train a network into a run folder; with --from and --data FOLDER of corrected digits, go on with those.

    Example: edge-train fit --model lecture --epochs 5 --seed 1 --out runs/lecture

    Example: edge-train fit --from runs/paper --data crops --out runs/paper-ours
    """
    from train.corrections import holds_corrections
    from train.fit import start_at, train_on
    from train.run import describe

    if resume is not None:
        _refuse_settled(context)
        train_on(resume, data=data, more=epochs)
        return typer.echo(describe(resume))
    if freeze and base is None:
        raise UsageError("--freeze needs --from RUN: only a network that has learned something can be frozen")
    if base is not None and data is not None and holds_corrections(data):
        return _go_on(context, base, data, out, force=force, accept_worse=accept_worse)
    if accept_worse:
        raise UsageError(
            "--accept-worse: only with --from RUN and --data FOLDER of corrected digits is anything refused"
        )
    settings = FitSettings.for_model(
        model,
        epochs=epochs,
        batch_size=batch_size,
        validation_split=validation_split,
        seed=seed,
        keep=keep,
        freeze=freeze,
        limit=limit,
    )
    folder = out or Path("runs") / f"{model}-{datetime.now():%Y%m%d-%H%M%S}"
    start_at(settings, data, folder, base=base, force=force, teacher=teacher)
    typer.echo(describe(folder))


def _go_on(
    context: typer.Context, base: Path, data: Path, out: Path | None, *, force: bool, accept_worse: bool
) -> None:
    """Fine-tune on corrected digits."""
    from train.finetune import finetune
    from train.run import describe

    unfit = [name for name in ("model", "freeze", "teacher", "keep") if _is_given(context, name)]
    if unfit:
        raise UsageError(f"--{unfit[0]}: corrected digits are learned by the whole network of --from; leave it out")
    told = {name: context.params[name] for name in ("epochs", "batch_size", "validation_split", "seed", "limit")}
    settings = FitSettings.for_corrections(**{name: told[name] for name in told if _is_given(context, name)})
    folder = out or Path("runs") / f"corrected-{datetime.now():%Y%m%d-%H%M%S}"
    finetune(settings, data, folder, base=base, force=force, accept_worse=accept_worse)
    typer.echo(describe(folder))


def _is_given(context: typer.Context, name: str) -> bool:
    source = context.get_parameter_source(name)
    return source is not None and source.name == "COMMANDLINE"


def _refuse_settled(context: typer.Context) -> None:
    given = [name for name in SETTLED if _is_given(context, name)]
    if given:
        flags = ", ".join("--from" if name == "base" else f"--{name.replace('_', '-')}" for name in given)
        raise UsageError(f"--resume goes on as the run began: {flags} cannot be changed; leave it out, or use --from")


@app.command()
def evaluate(
    run: Run,
    data: DataOption = None,
    out: Annotated[Path | None, typer.Option(help="Folder for evaluation.json and the pictures.")] = None,
) -> None:
    """Judge a network: accuracy with its interval, per-digit table, how far its confidence holds, what can be refused.

    Example: edge-train evaluate runs/lecture
    """
    from train.evaluate import report

    typer.echo(report(run, data=data, out=out))


@app.command()
def predict(
    run: Run,
    picture: Annotated[Path | None, typer.Argument(help="An image of one digit.", metavar="[IMAGE]")] = None,
    index: Annotated[int | None, typer.Option(help="The test digit with this number, from 0.")] = None,
    data: DataOption = None,
) -> None:
    """Print the probability of each label for one digit.

    Example: edge-train predict runs/lecture --index 0
    """
    from train.judge import predict as ask

    typer.echo(ask(run, picture=picture, index=index, data=data))


@app.command()
def mistakes(
    run: Run,
    data: DataOption = None,
    seed: Annotated[int | None, typer.Option(help="Draw a random 24 of them, not the first.")] = None,
    show: Annotated[list[int] | None, typer.Option(help="Print this test digit's probabilities; repeatable.")] = None,
    output: Annotated[Path | None, typer.Option("--output", "-o", help="The picture; in RUN otherwise.")] = None,
) -> None:
    """Show the digits a network misreads: how many, a picture of 24, the probabilities of those asked for.

    Example: edge-train mistakes runs/lecture --show 247 --show 321
    """
    from train.judge import mistakes as find

    typer.echo(find(run, data=data, seed=seed, show=tuple(show or ()), output=output))


@app.command()
def tune(
    out: Annotated[Path, typer.Option(help="Folder of the search; run again to go on.")] = Path("runs/tune"),
    trials: Annotated[int, typer.Option(help="How many networks to try, earlier runs included.")] = 20,
    trial_epochs: Annotated[int, typer.Option(help="Epochs a trial.")] = 2,
    limit: Annotated[int, typer.Option(help="Try on the first so many digits.")] = 12_000,
    epochs: Annotated[int, typer.Option(help="Epochs for the best, on all digits.")] = 5,
    batch_size: Annotated[int, typer.Option(help="Digits a step.")] = 64,
    validation_split: Annotated[float, typer.Option(help="Share held back to judge by.")] = 0.1,
    seed: Annotated[int, typer.Option(help="Of search and training.")] = 1,
    data: DataOption = None,
) -> None:
    """Search layers, filters, units, dropout and learning rate; train the best into OUT/best.

    Example: edge-train tune --trials 20 --out runs/tune
    """
    from train.tune import TuneSettings
    from train.tune import tune as search

    fit = FitSettings(epochs=epochs, batch_size=batch_size, validation_split=validation_split, seed=seed)
    settings = TuneSettings(fit=fit, trials=trials, trial_epochs=trial_epochs, trial_digits=limit)
    typer.echo(search(settings, data, out))


def main() -> NoReturn:
    """The console command `edge-train`."""
    door.run(app)
