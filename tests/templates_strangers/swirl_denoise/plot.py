import json
import pathlib
import pickle

import matplotlib.pyplot as plt

labels = {
    "run_0": "Baselines",
}
runs = {name: pathlib.Path(name) for name in labels if pathlib.Path(name).is_dir()}
info = {name: json.loads((path / "final_info.json").read_text()) for name, path in runs.items()}
train = {name: pickle.loads((path / "all_results.pkl").read_bytes()) for name, path in runs.items()}
fig, axes = plt.subplots(len(runs), 2, squeeze=False)
for row, name in enumerate(runs):
    for column, dataset in enumerate(["swirl", "cross"]):
        axes[row, column].plot(train[name][dataset]["train_losses"], label=labels[name])
        axes[row, column].set_title(f"{dataset}, KL {info[name][dataset]['means']['kl_divergence']:.2f}")
plt.savefig("train_loss.png")
