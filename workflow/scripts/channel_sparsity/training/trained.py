"""A training of the study, from its initialisation to its figures."""

import logging
from collections.abc import Callable
from dataclasses import asdict, dataclass

import pandas
from torch import Tensor

from channel_sparsity.networks import count_gammas, gammas_of
from channel_sparsity.networks.channels import Network
from channel_sparsity.networks.cost import cost
from channel_sparsity.training.device import device_name
from channel_sparsity.training.fit import Epoch, Failure, accuracy, fit, only_answer, per_scene, predict
from channel_sparsity.training.penalty import Penalty
from channel_sparsity.training.settings import TrainingSettings
from channel_sparsity.training.setup import Setup

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Trained:
    """How a training ended.

    `status`: ``trained``, ``collapsed`` (it tells no clips apart) or that of a `Failure`, with the `reason` in words.
    `log_probabilities` [clips, classes] of the validation clips; None after a failure.
    """

    network: Network
    history: list[Epoch]
    status: str
    reason: str | None
    log_probabilities: Tensor | None

    def tables(self) -> dict[str, pandas.DataFrame]:
        """What goes into the CSV files, by their names in the rule's output."""
        gammas = [
            {"layer": layer, "channel": channel, "gamma": gamma}
            for layer, values in gammas_of(self.network).items()
            for channel, gamma in enumerate(values.tolist())
        ]
        return {
            "history": pandas.DataFrame([asdict(epoch) for epoch in self.history]),
            "gammas": pandas.DataFrame(gammas),
        }


def train(
    setup: Setup, settings: TrainingSettings, penalty: Penalty, report: Callable[[int], None] = lambda epoch: None
) -> Trained:
    """Train a network from its initialisation; `report` hears of each epoch that is done."""
    network, history = setup.untrained(), []
    epochs = fit(
        network,
        setup.train,
        settings,
        penalty,
        seed=setup.seed,
        purpose=(setup.name, "training"),
        validation=setup.validation,
        state=setup.state,
    )
    try:
        for epoch in epochs:
            history.append(epoch)
            report(epoch.epoch)
            log.info(
                "epoch %d of %d, rate %.3g: loss %.4f, accuracy %.1f %%; validation loss %.4f, accuracy %.1f %%",
                epoch.epoch,
                settings.epochs,
                epoch.learning_rate,
                epoch.loss_train,
                100 * epoch.accuracy_train,
                epoch.loss_validation,
                100 * epoch.accuracy_validation,
            )
        log_probabilities = predict(network, setup.validation)
    except Failure as error:
        log.warning("%s", error)
        return Trained(network, history, error.status, str(error), None)
    if (scene := only_answer(log_probabilities, setup.scenes)) is not None:
        reason = f"every validation clip is taken for {scene}"
        log.warning("%s", reason)
        return Trained(network, history, "collapsed", reason, log_probabilities)
    return Trained(network, history, "trained", None, log_probabilities)


def metrics_of(trained: Trained, setup: Setup, settings: TrainingSettings, lam: str) -> dict:
    """What ``metrics.json`` says of a training at `lam` (as the configuration writes it), but for its weights' digest.

    Accuracies are fractions of the validation clips, None after a failure; `macs` are those of one clip; `shrinkage` is
    lambda times the sum of the learning rates (R10).
    """
    costs, answers = cost(trained.network, *setup.train.logmel.shape[1:]), trained.log_probabilities
    right, right_per_scene = None, dict.fromkeys(setup.scenes)
    if answers is not None:
        right = accuracy(answers, setup.validation)
        right_per_scene = per_scene(answers, setup.validation, setup.scenes)
    return {
        "network": setup.name,
        "width_scale": setup.shape["width_scale"],
        "lam": lam,
        "seed": setup.seed,
        "status": trained.status,
        "reason": trained.reason,
        "accuracy": right,
        "accuracy_per_scene": right_per_scene,
        "clips_train": len(setup.train),
        "clips_validation": len(setup.validation),
        "parameters": costs.parameters,
        "macs": costs.macs,
        "channels": count_gammas(trained.network),
        "shrinkage": float(lam) * settings.sum_of_rates(len(setup.train)),
        "device": device_name(setup.device),
    }
