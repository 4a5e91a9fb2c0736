"""Op-level fixtures: inputs, outputs and gradients of single PyTorch ops, and optimiser traces.

Tensors are named OP.CASE.TENSOR; "dNAME" is the gradient of sum(y * dy) to NAME.
"""

import torch
from torch import nn
from torch.nn import functional

import tensor_file


def with_gradients(prefix, inputs, function, out):
    """Runs y = function(**inputs), then a backward pass from a random dy; records everything."""
    leaves = {k: v.clone().requires_grad_(True) for k, v in inputs.items()}
    y = function(**leaves)
    dy = torch.randn_like(y)
    grads = torch.autograd.grad(y, list(leaves.values()), dy, allow_unused=False)
    for (name, leaf), grad in zip(leaves.items(), grads):
        out[f"{prefix}.{name}"] = leaf.detach()
        out[f"{prefix}.d{name}"] = grad
    out[f"{prefix}.y"], out[f"{prefix}.dy"] = y.detach(), dy


def rand(*shape):
    return torch.randn(*shape)


def record_elementary(out):
    for case, (b, n, i, o) in enumerate([(2, 7, 5, 9), (1, 1, 1, 1), (3, 5, 67, 33)]):
        with_gradients(f"linear.{case}",
                       dict(x=rand(b, n, i), weight=rand(o, i), bias=rand(o)),
                       lambda x, weight, bias: functional.linear(x, weight, bias), out)
    for case, (b, n, c) in enumerate([(2, 5, 13), (1, 1, 2), (1, 3, 131)]):
        # A mean far from zero: computing the variance as a difference of squares would lose its
        # digits.
        with_gradients(f"layer_norm.{case}",
                       dict(x=rand(b, n, c) + 30.0 * (case == 2), gamma=rand(c), beta=rand(c)),
                       lambda x, gamma, beta: functional.layer_norm(x, x.shape[-1:], gamma, beta),
                       out)
    wide = torch.linspace(-9.0, 9.0, 3 * 37).reshape(1, 3, 37)
    for case, x in enumerate([wide, rand(1, 1, 1)]):
        with_gradients(f"gelu.{case}", dict(x=x), lambda x: functional.gelu(x), out)
    for case, (b, n, d, f) in enumerate([(2, 5, 6, 11), (1, 1, 1, 1)]):
        with_gradients(f"feed_forward.{case}",
                       dict(x=rand(b, n, d), w1=rand(f, d), b1=rand(f), w2=rand(d, f), b2=rand(d)),
                       lambda x, w1, b1, w2, b2: functional.linear(
                           functional.gelu(functional.linear(x, w1, b1)), w2, b2), out)
    for case, (shared, b, n, d) in enumerate([(2, 2, 5, 7), (1, 3, 4, 9)]):
        with_gradients(f"add_norm.{case}",
                       dict(x=rand(shared, n, d), a=rand(b, n, d), gamma=rand(d), beta=rand(d)),
                       lambda x, a, gamma, beta: functional.layer_norm(
                           x + a, a.shape[-1:], gamma, beta), out)


def mha(heads, query, key_value, in_proj_weight, in_proj_bias, out_weight, out_bias):
    """PyTorch's multi-head attention, batch first; key_value None: self-attention."""
    q = query.transpose(0, 1)
    kv = q if key_value is None else key_value.transpose(0, 1)
    y, _ = functional.multi_head_attention_forward(
        q, kv, kv, query.shape[-1], heads, in_proj_weight, in_proj_bias, None, None, False, 0.0,
        out_weight, out_bias, training=True, need_weights=False)
    return y.transpose(0, 1)


def record_attention(out):
    def weights(d):
        return dict(in_proj_weight=rand(3 * d, d) / d**0.5, in_proj_bias=rand(3 * d),
                    out_weight=rand(d, d), out_bias=rand(d))

    # (1|B) for queries and keys: a leading 1 is shared by the batch.
    for case, (b, n, d, h) in enumerate([(2, 7, 12, 3), (1, 1, 1, 1), (3, 33, 10, 2)]):
        with_gradients(f"self_attention.{case}", dict(query=rand(b, n, d), **weights(d)),
                       lambda query, h=h, **w: mha(h, query, None, **w), out)
    shapes = [(2, 2, 5, 9, 12, 4), (1, 3, 6, 17, 9, 3), (1, 1, 1, 1, 2, 1)]
    for case, (bq, b, nq, nk, d, h) in enumerate(shapes):
        with_gradients(f"cross_attention.{case}",
                       dict(query=rand(bq, nq, d), key_value=rand(b, nk, d), **weights(d)),
                       lambda query, key_value, h=h, b=b, **w: mha(
                           h, query.expand(b, -1, -1), key_value, **w), out)
    for case, (b, n, d, h) in enumerate([(2, 9, 12, 3), (1, 1, 4, 4), (3, 70, 6, 1)]):
        with_gradients(f"attention_pool.{case}",
                       dict(query=rand(1, 1, d), x=rand(b, n, d), **weights(d)),
                       lambda query, x, h=h, **w: mha(
                           h, query.expand(x.shape[0], -1, -1), x, **w)[:, 0], out)
    for case, (b, n, d) in enumerate([(2, 9, 5), (1, 1, 1)]):
        with_gradients(f"attention_pool_paper.{case}", dict(query=rand(1, 1, d), x=rand(b, n, d)),
                       lambda query, x: (torch.softmax(
                           query @ x.transpose(1, 2) / x.shape[-1]**0.5, -1) @ x)[:, 0], out)


def record_huber(out):
    """Residuals on both sides of both corners; one residual is exactly 0, one exactly delta."""
    for case, (b, delta) in enumerate([(9, 1.0), (1, 1.0), (9, 0.25)]):
        target = torch.linspace(-1.0, 0.5, b) if b > 1 else rand(b)
        prediction = target + torch.linspace(-4 * delta, 4 * delta, b)
        prediction.requires_grad_(True)
        loss = nn.HuberLoss(delta=delta)(prediction, target)
        loss.backward()
        out[f"huber.{case}.prediction"] = prediction.detach()
        out[f"huber.{case}.target"] = target
        out[f"huber.{case}.delta"] = torch.tensor([delta])
        out[f"huber.{case}.loss"] = loss.detach().reshape(1)
        out[f"huber.{case}.dprediction"] = prediction.grad


def record_adamw(out):
    """Twelve steps with given gradients, clipped to norm 1; some gradients stay exactly zero, are near eps
    or are huge."""
    for case, (lr, decay, scale) in enumerate([(1e-3, 0.1, 1.0), (1e-4, 1e-5, 1e-8),
                                               (1e-2, 0.0, 1e3)]):
        w = nn.Parameter(rand(5, 7))
        v = nn.Parameter(rand(3))
        optimiser = torch.optim.AdamW([w, v], lr=lr, weight_decay=decay)
        grads = {"w": scale * rand(12, 5, 7), "v": torch.zeros(12, 3)}
        grads["v"][:4, 0] = scale  # then zero: only moments and decay move it
        prefix = f"adamw.{case}"
        out[f"{prefix}.w"], out[f"{prefix}.v"] = w.detach().clone(), v.detach().clone()
        out[f"{prefix}.options"] = torch.tensor([lr, decay])
        norms = []
        for step in range(12):
            w.grad, v.grad = grads["w"][step].clone(), grads["v"][step].clone()
            norms.append(nn.utils.clip_grad_norm_([w, v], 1.0).reshape(1))
            optimiser.step()
        out[f"{prefix}.w_grads"], out[f"{prefix}.v_grads"] = grads["w"], grads["v"]
        out[f"{prefix}.norms"] = torch.cat(norms)
        out[f"{prefix}.w_final"], out[f"{prefix}.v_final"] = w.detach(), v.detach()


def record_plateau(out):
    """Learning rate after each epoch under ReduceLROnPlateau(mode max, factor 0.5, patience 5)."""
    stagnant = torch.full((120,), 0.25)  # until eps stops it
    rising = 0.3 + 5e-5 * torch.arange(60)  # gains below the threshold, then above it
    negative = -0.5 + 0.1 * torch.rand(60)
    metrics = [stagnant, rising, negative, torch.rand(80), torch.tensor([0.1] + 6 * [float("nan")])]
    for case, metric in enumerate(metrics):
        optimiser = torch.optim.SGD([nn.Parameter(torch.zeros(1))], lr=1e-4)
        schedule = torch.optim.lr_scheduler.ReduceLROnPlateau(
            optimiser, mode="max", factor=0.5, patience=5)
        rates = []
        for value in metric:
            schedule.step(float(value))
            rates.append(optimiser.param_groups[0]["lr"])
        out[f"plateau.{case}.metric"] = metric
        out[f"plateau.{case}.lr"] = torch.tensor(rates)


def record(path):
    torch.manual_seed(7)
    out = {}
    for part in (record_elementary, record_attention, record_huber, record_adamw, record_plateau):
        part(out)
    tensor_file.write(path, out, {"format": "cdt-fixture", "torch": torch.__version__.split("+")[0]})
    print(f"ops: {len(out)} tensors")
