import numpy as np
import torch
from torch.utils.data import TensorDataset


def swirl_dataset(n=600):
    angle = np.sqrt(np.linspace(0.05, 1, n)) * 3 * np.pi
    xy = np.stack([angle * np.cos(angle), angle * np.sin(angle)], axis=1) / 5
    return TensorDataset(torch.from_numpy(xy + np.random.normal(size=(n, 2)) * 0.05).float())


def cross_dataset(n=600):
    along = np.random.uniform(-1.5, 1.5, size=n)
    arm = np.random.randint(0, 2, size=n)
    xy = np.stack([np.where(arm, along, 0.0), np.where(arm, 0.0, along)], axis=1)
    return TensorDataset(torch.from_numpy(xy + np.random.normal(size=(n, 2)) * 0.05).float())


def get_dataset(name, n=600):
    if name == "swirl":
        return swirl_dataset(n)
    if name == "cross":
        return cross_dataset(n)
    raise ValueError(f"Unknown dataset: {name}")
