"""Fit a small regularised classifier on a made-up problem."""

import argparse
import json
import pathlib

import numpy as np
from sklearn.datasets import make_classification
from sklearn.linear_model import SGDClassifier
from sklearn.preprocessing import StandardScaler

N_FEATURES = 20
TEST_SIZE = 400


def features(x, order, scale):
    x = StandardScaler().fit_transform(x) if scale else x
    return np.hstack([x**k for k in range(1, order + 1)])


def main(config):
    rng = np.random.RandomState(config.seed)
    x, y = make_classification(
        n_samples=config.n_train + TEST_SIZE, n_features=N_FEATURES, n_informative=6, flip_y=0.05, random_state=rng
    )
    x = features(x, config.degree, not config.no_scaling)
    flipped = rng.rand(config.n_train) < config.label_noise
    y_train = np.where(flipped, 1 - y[: config.n_train], y[: config.n_train])
    model = SGDClassifier(
        loss="log_loss", alpha=config.alpha, penalty=config.penalty, max_iter=config.epochs, tol=None, random_state=rng
    )
    model.fit(x[: config.n_train], y_train)
    test = model.score(x[config.n_train :], y[config.n_train :])
    return {
        "train_acc": model.score(x[: config.n_train], y_train),
        "test_acc": test,
        "nonzero": int((model.coef_ != 0).sum()),
    }


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--out_dir", type=str, default="run_0")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--alpha", type=float, default=1e-3, help="strength of the penalty")
    parser.add_argument("--penalty", type=str, default="l2", choices=["l1", "l2", "elasticnet"])
    parser.add_argument("--label_noise", type=float, default=0.0, help="share of training labels that are flipped")
    parser.add_argument("--n_train", type=int, default=200)
    parser.add_argument("--degree", type=int, default=2, help="highest power of every feature")
    parser.add_argument("--epochs", type=int, default=20)
    parser.add_argument("--no_scaling", action="store_true", help="leave the features as they are")
    parser.add_argument("--data_path", type=str, default="unused.csv")
    parser.add_argument("--num_workers", type=int, default=4)
    config = parser.parse_args()
    pathlib.Path(config.out_dir).mkdir()
    final_infos = {"made_up": {"means": main(config)}}
    with open(pathlib.Path(config.out_dir) / "final_info.json", "w") as f:
        json.dump(final_infos, f)
