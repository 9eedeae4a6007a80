import json

import matplotlib.pyplot as plt

labels = {"run_0": "Baseline"}
for run, label in labels.items():
    with open(f"{run}/final_info.json") as f:
        info = json.load(f)
    plt.bar(list(info), [v["means"]["best_val_loss_mean"] for v in info.values()], alpha=0.5, label=label)
plt.savefig("val_loss.png", dpi=150)
