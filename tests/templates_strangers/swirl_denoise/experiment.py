import argparse
import json
import os.path as osp
import pathlib
import pickle
import time

import datasets
import numpy as np
import torch
from torch import nn
from torch.nn import functional as F
from torch.utils.data import DataLoader

device = torch.device("cuda" if torch.cuda.is_available() else "cpu")


class SinusoidalEmbedding(nn.Module):
    def __init__(self, dim: int, scale: float = 1.0):
        super().__init__()
        self.dim = dim
        self.scale = scale

    def forward(self, x: torch.Tensor):
        half_dim = self.dim // 2
        emb = torch.exp(-torch.log(torch.tensor([10000.0])) / (half_dim - 1) * torch.arange(half_dim)).to(device)
        emb = (x * self.scale).unsqueeze(-1) * emb.unsqueeze(0)
        return torch.cat((torch.sin(emb), torch.cos(emb)), dim=-1)


class ResidualBlock(nn.Module):
    def __init__(self, width: int):
        super().__init__()
        self.ff = nn.Linear(width, width)
        self.act = nn.ReLU()

    def forward(self, x: torch.Tensor):
        return x + self.ff(self.act(x))


class MLPDenoiser(nn.Module):
    def __init__(self, embedding_dim: int = 16, hidden_dim: int = 32, hidden_layers: int = 2):
        super().__init__()
        self.time_mlp = SinusoidalEmbedding(embedding_dim)
        self.input_mlp = SinusoidalEmbedding(embedding_dim, scale=25.0)
        self.network = nn.Sequential(
            nn.Linear(embedding_dim * 3, hidden_dim),
            *[ResidualBlock(hidden_dim) for _ in range(hidden_layers)],
            nn.ReLU(),
            nn.Linear(hidden_dim, 2),
        )

    def forward(self, x, t):
        emb = torch.cat([self.input_mlp(x[:, 0]), self.input_mlp(x[:, 1]), self.time_mlp(t)], dim=-1)
        return self.network(emb)


class NoiseScheduler:
    def __init__(self, num_timesteps=20, beta_start=0.001, beta_end=0.2, beta_schedule="linear"):
        self.num_timesteps = num_timesteps
        if beta_schedule == "linear":
            self.betas = torch.linspace(beta_start, beta_end, num_timesteps, dtype=torch.float32).to(device)
        elif beta_schedule == "quadratic":
            self.betas = (torch.linspace(beta_start**0.5, beta_end**0.5, num_timesteps) ** 2).to(device)
        else:
            raise ValueError(f"Unknown beta schedule: {beta_schedule}")
        self.alphas = 1.0 - self.betas
        self.kept = torch.cumprod(self.alphas, dim=0)

    def add_noise(self, x, noise, t):
        return self.kept[t].sqrt().unsqueeze(-1) * x + (1 - self.kept[t]).sqrt().unsqueeze(-1) * noise

    def step(self, predicted, t, sample):
        mean = (sample - self.betas[t] / (1 - self.kept[t]).sqrt() * predicted) / self.alphas[t].sqrt()
        return mean + (self.betas[t].sqrt() * torch.randn_like(sample) if t > 0 else 0.0)


def histogram_kl(real, made, bins=12):
    edges = np.linspace(-2.2, 2.2, bins + 1)
    p, q = (np.histogram2d(s[:, 0], s[:, 1], bins=(edges, edges))[0].ravel() + 0.5 for s in (real, made))
    p, q = p / p.sum(), q / q.sum()
    return float((p * np.log(p / q)).sum())


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--train_batch_size", type=int, default=64)
    parser.add_argument("--eval_batch_size", type=int, default=400)
    parser.add_argument("--learning_rate", type=float, default=3e-3)
    parser.add_argument("--num_timesteps", type=int, default=20)
    parser.add_argument("--num_train_steps", type=int, default=120)
    parser.add_argument("--beta_schedule", type=str, default="linear", choices=["linear", "quadratic"])
    parser.add_argument("--embedding_dim", type=int, default=16)
    parser.add_argument("--hidden_size", type=int, default=32)
    parser.add_argument("--hidden_layers", type=int, default=2)
    parser.add_argument("--out_dir", type=str, default="run_0")
    config = parser.parse_args()

    final_infos = {}
    all_results = {}
    pathlib.Path(config.out_dir).mkdir(parents=True, exist_ok=True)

    for dataset_name in ["swirl", "cross"]:
        dataset = datasets.get_dataset(dataset_name)
        dataloader = DataLoader(dataset, batch_size=config.train_batch_size, shuffle=True, drop_last=True)
        model = MLPDenoiser(config.embedding_dim, config.hidden_size, config.hidden_layers).to(device)
        scheduler = NoiseScheduler(num_timesteps=config.num_timesteps, beta_schedule=config.beta_schedule)
        optimizer = torch.optim.AdamW(model.parameters(), lr=config.learning_rate)
        train_losses = []
        global_step = 0
        start_time = time.time()
        while global_step < config.num_train_steps:
            for (batch,) in dataloader:
                if global_step >= config.num_train_steps:
                    break
                noise = torch.randn(batch.shape).to(device)
                t = torch.randint(0, config.num_timesteps, (batch.shape[0],)).to(device)
                loss = F.mse_loss(model(scheduler.add_noise(batch.to(device), noise, t), t.float()), noise)
                loss.backward()
                nn.utils.clip_grad_norm_(model.parameters(), 0.5)
                optimizer.step()
                optimizer.zero_grad()
                train_losses.append(loss.detach().item())
                global_step += 1
        training_time = time.time() - start_time

        model.eval()
        with torch.no_grad():
            real = dataset.tensors[0].to(device)
            t = torch.randint(0, config.num_timesteps, (len(real),)).to(device)
            noise = torch.randn_like(real)
            eval_loss = F.mse_loss(model(scheduler.add_noise(real, noise, t), t.float()), noise).item()
            start_time = time.time()
            sample = torch.randn(config.eval_batch_size, 2).to(device)
            for t in reversed(range(config.num_timesteps)):
                sample = scheduler.step(model(sample, torch.full((len(sample),), float(t)).to(device)), t, sample)
            inference_time = time.time() - start_time
        final_infos[dataset_name] = {
            "means": {
                "training_time": training_time,
                "eval_loss": eval_loss,
                "inference_time": inference_time,
                "kl_divergence": histogram_kl(real.cpu().numpy(), sample.cpu().numpy()),
            }
        }
        all_results[dataset_name] = {"train_losses": train_losses, "images": sample.cpu().numpy()}

    with open(osp.join(config.out_dir, "final_info.json"), "w") as f:
        json.dump(final_infos, f)
    with open(osp.join(config.out_dir, "all_results.pkl"), "wb") as f:
        pickle.dump(all_results, f)
