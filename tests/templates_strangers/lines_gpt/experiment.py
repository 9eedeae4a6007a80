import argparse
import json
import math
import os
import time
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn as nn
from torch.nn import functional as F


class CausalSelfAttention(nn.Module):
    def __init__(self, config):
        super().__init__()
        assert config.n_embd % config.n_head == 0
        self.qkv = nn.Linear(config.n_embd, 3 * config.n_embd, bias=config.bias)
        self.proj = nn.Linear(config.n_embd, config.n_embd, bias=config.bias)
        self.drop = nn.Dropout(config.dropout)
        self.n_head = config.n_head

    def forward(self, x):
        b, t, c = x.shape
        q, k, v = (m.view(b, t, self.n_head, c // self.n_head).transpose(1, 2) for m in self.qkv(x).split(c, dim=2))
        y = F.scaled_dot_product_attention(q, k, v, is_causal=True)
        return self.drop(self.proj(y.transpose(1, 2).reshape(b, t, c)))


class Block(nn.Module):
    def __init__(self, config):
        super().__init__()
        self.ln_1, self.ln_2 = nn.LayerNorm(config.n_embd), nn.LayerNorm(config.n_embd)
        self.attn = CausalSelfAttention(config)
        self.mlp = nn.Sequential(
            nn.Linear(config.n_embd, 4 * config.n_embd), nn.GELU(), nn.Linear(4 * config.n_embd, config.n_embd)
        )

    def forward(self, x):
        x = x + self.attn(self.ln_1(x))
        return x + self.mlp(self.ln_2(x))


@dataclass
class GPTConfig:
    block_size: int = 16
    vocab_size: int = 16
    n_layer: int = 1
    n_head: int = 2
    n_embd: int = 16
    dropout: float = 0.0
    bias: bool = False


class GPT(nn.Module):
    def __init__(self, config):
        super().__init__()
        self.config = config
        self.wte = nn.Embedding(config.vocab_size, config.n_embd)
        self.wpe = nn.Embedding(config.block_size, config.n_embd)
        self.blocks = nn.ModuleList([Block(config) for _ in range(config.n_layer)])
        self.head = nn.Linear(config.n_embd, config.vocab_size, bias=False)

    def forward(self, idx, targets):
        x = self.wte(idx) + self.wpe(torch.arange(idx.size(1), device=idx.device))
        for block in self.blocks:
            x = block(x)
        logits = self.head(x)
        return logits, F.cross_entropy(logits.view(-1, logits.size(-1)), targets.view(-1))

    def configure_optimizers(self, weight_decay, learning_rate, betas):
        decay = [p for p in self.parameters() if p.dim() >= 2]
        nodecay = [p for p in self.parameters() if p.dim() < 2]
        groups = [{"params": decay, "weight_decay": weight_decay}, {"params": nodecay, "weight_decay": 0.0}]
        return torch.optim.AdamW(groups, lr=learning_rate, betas=betas)


def write_lines(dataset, rng, length=4000):
    # letters that count upwards, restarting at random; "hops" also doubles now and then
    text, at = [], 0
    for _ in range(length):
        at = int(rng.integers(15)) if rng.random() < 0.1 else (at + 1) % 15
        if dataset == "hops" and rng.random() < 0.3:
            at = (2 * at) % 15
        text.append(at + 1)
    return torch.tensor(text)


# --- BEGIN training function ---
def train(dataset="counts", out_dir="run_0", seed_offset=0):
    # -----------------------------------------------------------------------------
    gradient_accumulation_steps = 1
    batch_size = 16 if dataset == "counts" else 24
    block_size = 16  # context
    eval_interval = 20
    log_interval = 10
    eval_iters = 4
    always_save_checkpoint = False
    # adamw optimizer
    learning_rate = 1e-2 if dataset == "counts" else 5e-3
    max_iters = 60
    weight_decay = 1e-1
    beta1 = 0.9
    beta2 = 0.99
    grad_clip = 1.0  # clip gradients at this value, or disable if == 0.0
    # learning rate decay settings
    decay_lr = True
    warmup_iters = 5
    lr_decay_iters = max_iters
    min_lr = 1e-3
    # system
    device = "cuda" if torch.cuda.is_available() else "cpu"
    compile = False
    # -----------------------------------------------------------------------------
    os.makedirs(out_dir, exist_ok=True)
    torch.manual_seed(1337 + seed_offset)
    torch.backends.cuda.matmul.allow_tf32 = True
    data = write_lines(dataset, np.random.default_rng(1337 + seed_offset))
    cut = int(0.9 * len(data))

    def get_batch(split):
        lo, hi = (0, cut) if split == "train" else (cut, len(data))
        ix = torch.randint(lo, hi - block_size - 1, (batch_size,))
        x = torch.stack([data[i : i + block_size] for i in ix]).to(device)
        y = torch.stack([data[i + 1 : i + 1 + block_size] for i in ix]).to(device)
        return x, y

    config = GPTConfig(block_size=block_size, n_embd=16, dropout=0.0)
    model = GPT(config).to(device)
    optimizer = model.configure_optimizers(weight_decay, learning_rate, (beta1, beta2))
    if compile:
        model = torch.compile(model)

    def get_lr(it):
        if it < warmup_iters:
            return learning_rate * (it + 1) / warmup_iters
        ratio = (it - warmup_iters) / max(1, lr_decay_iters - warmup_iters)
        return min_lr + 0.5 * (1.0 + math.cos(math.pi * ratio)) * (learning_rate - min_lr)

    @torch.no_grad()
    def estimate_loss():
        model.eval()
        out = {s: float(np.mean([model(*get_batch(s))[1].item() for _ in range(eval_iters)])) for s in ("train", "val")}
        model.train()
        return out

    val_log_info, train_log_info = [], []
    best_val_loss, t0 = 1e9, time.time()
    for iter_num in range(max_iters + 1):
        for group in optimizer.param_groups:
            group["lr"] = get_lr(iter_num) if decay_lr else learning_rate
        if iter_num % eval_interval == 0:
            losses = estimate_loss()
            val_log_info.append({"iter": iter_num, "train/loss": losses["train"], "val/loss": losses["val"]})
            if losses["val"] < best_val_loss or always_save_checkpoint:
                best_val_loss = losses["val"]
        for _ in range(gradient_accumulation_steps):
            _, loss = model(*get_batch("train"))
            (loss / gradient_accumulation_steps).backward()
        if grad_clip != 0.0:
            torch.nn.utils.clip_grad_norm_(model.parameters(), grad_clip)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        if iter_num % log_interval == 0:
            train_log_info.append({"iter": iter_num, "loss": loss.item(), "lr": get_lr(iter_num)})
            print(f"iter {iter_num}: loss {loss.item():.4f}")
    seconds = time.time() - t0
    final_info = {
        "final_train_loss": loss.item(),
        "best_val_loss": best_val_loss,
        "total_train_time": seconds,
        "avg_inference_tokens_per_second": eval_iters * batch_size * block_size / max(seconds, 1e-9),
    }
    with open(os.path.join(out_dir, f"final_info_{dataset}_{seed_offset}.json"), "w") as f:
        json.dump(final_info, f)
    return final_info, train_log_info, val_log_info


# --- END training function ---

parser = argparse.ArgumentParser(description="Run experiment")
parser.add_argument("--out_dir", type=str, default="run_0", help="Output directory")
args = parser.parse_args()

if __name__ == "__main__":
    num_seeds = {"counts": 2, "hops": 1}
    out_dir = args.out_dir
    all_results = {}
    final_infos = {}
    for dataset in ["counts", "hops"]:
        final_info_list = []
        for seed_offset in range(num_seeds[dataset]):
            final_info, train_info, val_info = train(dataset, out_dir, seed_offset)
            all_results[f"{dataset}_{seed_offset}_final_info"] = final_info
            all_results[f"{dataset}_{seed_offset}_train_info"] = train_info
            all_results[f"{dataset}_{seed_offset}_val_info"] = val_info
            final_info_list.append(final_info)
        final_info_dict = {k: [d[k] for d in final_info_list] for k in final_info_list[0].keys()}
        means = {f"{k}_mean": np.mean(v) for k, v in final_info_dict.items()}
        stderrs = {f"{k}_stderr": np.std(v) / len(v) for k, v in final_info_dict.items()}
        final_infos[dataset] = {"means": means, "stderrs": stderrs, "final_info_dict": final_info_dict}
    with open(os.path.join(out_dir, "final_info.json"), "w") as f:
        json.dump(final_infos, f)
    with open(os.path.join(out_dir, "all_results.npy"), "wb") as f:
        np.save(f, all_results)
