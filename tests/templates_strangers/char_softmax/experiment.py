# Trains small softmax models of characters on two made-up languages.
import argparse
import json
import os
import time
from dataclasses import dataclass

import numpy as np
from text_source import make_text


@dataclass
class ModelConfig:
    context: int = 1
    vocab_size: int = 12
    init_scale: float = 0.05


class SoftmaxModel:
    def __init__(self, config, rng):
        self.config = config
        self.weight = config.init_scale * rng.standard_normal((config.context, config.vocab_size, config.vocab_size))

    def logits(self, x):
        return sum(self.weight[i][x[:, i]] for i in range(self.config.context))

    def loss_and_grad(self, x, y):
        z = self.logits(x)
        z = z - z.max(axis=1, keepdims=True)
        p = np.exp(z)
        p /= p.sum(axis=1, keepdims=True)
        loss = -np.log(p[np.arange(len(y)), y] + 1e-12).mean()
        p[np.arange(len(y)), y] -= 1
        grad = np.zeros_like(self.weight)
        for i in range(self.config.context):
            np.add.at(grad[i], x[:, i], p / len(y))
        return loss, grad


def train(dataset="vowels", out_dir="run_0", seed_offset=0):
    # optimisation
    batch_size = 64 if dataset == "vowels" else 32
    learning_rate = 0.3 if dataset == "vowels" else 0.2
    max_iters = 120
    weight_decay = 1e-3
    momentum = 0.9
    warmup_iters = 10
    # evaluation and output
    eval_interval = 60
    log_interval = 40
    verbose = False

    os.makedirs(out_dir, exist_ok=True)
    rng = np.random.default_rng(1337 + seed_offset)
    text = make_text(dataset, length=6000, seed=7 + seed_offset)
    config = ModelConfig(context=2)
    cut = int(0.9 * len(text))
    model = SoftmaxModel(config, rng)
    velocity = np.zeros_like(model.weight)

    def batch(lo, hi):
        at = rng.integers(lo + config.context, hi, size=batch_size)
        x = np.stack([text[at - i - 1] for i in range(config.context)], axis=1)
        return x, text[at]

    best_val_loss = 1e9
    started = time.time()
    for step in range(max_iters):
        x, y = batch(0, cut)
        train_loss, grad = model.loss_and_grad(x, y)
        rate = learning_rate * min(1.0, (step + 1) / warmup_iters)
        velocity = momentum * velocity - rate * (grad + weight_decay * model.weight)
        model.weight = model.weight + velocity
        if step % eval_interval == eval_interval - 1 or step == max_iters - 1:
            losses = [model.loss_and_grad(*batch(cut, len(text)))[0] for _ in range(8)]
            best_val_loss = min(best_val_loss, float(np.mean(losses)))
            if verbose or step % log_interval == 0:
                print(f"{dataset} step {step}: val {best_val_loss:.4f}")
    return {
        "final_train_loss": float(train_loss),
        "best_val_loss": best_val_loss,
        "total_train_time": time.time() - started,
    }


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Run experiment")
    parser.add_argument("--out_dir", type=str, default="run_0", help="Output directory")
    args = parser.parse_args()
    num_seeds = {"vowels": 3, "runs": 2}
    final_infos = {}
    all_results = {}
    for dataset in ["vowels", "runs"]:
        final_info_list = []
        for seed_offset in range(num_seeds[dataset]):
            final_info = train(dataset, args.out_dir, seed_offset)
            all_results[f"{dataset}_{seed_offset}"] = final_info
            final_info_list.append(final_info)
        final_info_dict = {k: [d[k] for d in final_info_list] for k in final_info_list[0]}
        final_infos[dataset] = {
            "means": {f"{k}_mean": np.mean(v) for k, v in final_info_dict.items()},
            "stderrs": {f"{k}_stderr": np.std(v) / len(v) for k, v in final_info_dict.items()},
            "final_info_dict": final_info_dict,
        }
    with open(os.path.join(args.out_dir, "final_info.json"), "w") as f:
        json.dump(final_infos, f)
    with open(os.path.join(args.out_dir, "all_results.npy"), "wb") as f:
        np.save(f, all_results)
