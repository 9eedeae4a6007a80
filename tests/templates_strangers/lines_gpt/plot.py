import json
import os

import matplotlib.pyplot as plt
import numpy as np

# LOAD FINAL RESULTS:
datasets = ["counts", "hops"]
folders = sorted(name for name in os.listdir("./") if name.startswith("run") and os.path.isdir(name))
results = {}
for folder in folders:
    with open(os.path.join(folder, "final_info.json")) as f:
        results[folder] = json.load(f)

# CREATE LEGEND -- ADD RUNS HERE THAT WILL BE PLOTTED
labels = {
    "run_0": "Baselines",
}
for dataset in datasets:
    plt.figure(figsize=(6, 4))
    at = np.arange(len(labels))
    plt.bar(
        at, [results[run][dataset]["means"]["best_val_loss_mean"] for run in labels], tick_label=list(labels.values())
    )
    plt.title(f"Validation loss on {dataset}")
    plt.savefig(f"val_loss_{dataset}.png")
    plt.close()
