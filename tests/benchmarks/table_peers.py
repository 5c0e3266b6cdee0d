"""The networks for tables as their authors' packages compute them, for peers.py: tabm (with rtdl_num_embeddings), pytabkit's RealMLP.

Each at the defaults that nettrain's model of the same name has: the same layers, batch, optimizer; plain loops, without the time that
pytabkit's trainer takes between two steps.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
from workloads import Workload

Epoch = Callable[[], object]


def tabm_epoch(work: Workload, threads: int | None) -> Epoch:
    """TabM of 32 members with piecewise-linear embeddings: 48 bins, size 16."""
    import torch
    from rtdl_num_embeddings import PiecewiseLinearEmbeddings, compute_bins
    from tabm import TabM
    from torch.nn.functional import cross_entropy

    torch.manual_seed(0)
    if threads:
        torch.set_num_threads(threads)
    x, y = map(torch.from_numpy, work.data())
    bins = compute_bins(x, 48)
    model = TabM.make(
        n_num_features=work.sizes[0], d_out=work.sizes[-1], k=32,
        num_embeddings=PiecewiseLinearEmbeddings(bins, 16, activation=False, version="B"),
    )  # fmt: skip
    optimizer = torch.optim.AdamW(model.parameters(), lr=0.002, weight_decay=3e-4, fused=True)

    def epoch() -> None:
        order = torch.randperm(len(x))
        for i in range(work.steps):
            rows = order[i * work.batch_size : (i + 1) * work.batch_size]
            optimizer.zero_grad()
            outputs = model(x[rows])
            cross_entropy(outputs.flatten(0, 1), y[rows].repeat_interleave(32)).backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()

    return epoch


def realmlp_epoch(work: Workload, threads: int | None) -> Epoch:
    """RealMLP-TD for classes."""
    import torch
    from pytabkit.models.alg_interfaces.base import InterfaceResources, SplitIdxs
    from pytabkit.models.data.data import DictDataset, TensorInfo
    from pytabkit.models.sklearn.default_params import DefaultParams
    from pytabkit.models.training.lightning_modules import TabNNModule

    if threads:
        torch.set_num_threads(threads)
    x, y = work.data()
    tensors = {
        "x_cont": torch.from_numpy(x),
        "x_cat": torch.zeros((len(x), 0), dtype=torch.long),
        "y": torch.from_numpy(y.astype(np.int64))[:, None],
    }
    infos = {
        "x_cont": TensorInfo(feat_shape=[x.shape[1]]),
        "x_cat": TensorInfo(cat_sizes=[]),
        "y": TensorInfo(cat_sizes=[work.sizes[-1]]),
    }
    all_rows = SplitIdxs(torch.arange(len(x))[None], None, None, 0, [0], 0)
    module: Any = TabNNModule(**DefaultParams.RealMLP_TD_CLASS)
    module.compile_model(
        DictDataset(tensors, infos), [all_rows], InterfaceResources(threads or 1, [])
    )
    optimizer = module.configure_optimizers()
    module.model.train()

    def epoch() -> None:
        for batch in module.train_dl:
            module.hp_manager.update_hypers(module)
            found = module.model(batch)
            module.criterion(found["x_cont"], found["y"]).sum().backward()
            optimizer.step()
            optimizer.zero_grad()
            module.progress.total_samples += work.batch_size
            module.progress.epoch_float = module.progress.total_samples / len(x)

    return epoch
