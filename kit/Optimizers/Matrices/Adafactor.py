def wide(x: Tensor) -> Tensor:
    return x.to(torch.promote_types(x.dtype, 6))


def root_mean_square(x: Tensor) -> Tensor:
    return x.norm(2) / x.numel() ** 0.5


def adafactor(
        params: List[Tensor], grads: List[Tensor], rows: List[Tensor], columns: List[Tensor],
        squares: List[Tensor], means: List[Tensor], lr: float, beta1: float, beta2: float,
        weight_decay: float, gradient_eps: float, parameter_eps: float, threshold: float,
        scales: bool) -> None:
    for i in range(len(params)):
        param = wide(params[i])
        grad = wide(grads[i])
        square = grad * grad + gradient_eps
        if len(rows) > 0:
            rows[i].mul_(beta2).add_(square.mean(-1), alpha=1.0 - beta2)
            columns[i].mul_(beta2).add_(square.mean(-2), alpha=1.0 - beta2)
            row = (rows[i] / rows[i].mean(-1, keepdim=True)).rsqrt().unsqueeze(-1)
            column = columns[i].unsqueeze(-2).rsqrt()
            update = row * column * grad
        else:
            squares[i].mul_(beta2).add_(square, alpha=1.0 - beta2)
            update = squares[i].rsqrt() * grad
        update = update / (root_mean_square(update) / threshold).clamp_min(1.0)
        rate = torch.full_like(update[..., :1].flatten()[:1].sum(), lr)
        if scales:
            rate = root_mean_square(param).clamp_min(parameter_eps) * lr
        update = update * rate
        if len(means) > 0:
            update = means[i].mul_(beta1).add_(update, alpha=1.0 - beta1)
        if weight_decay != 0.0:
            param = param - param * (rate * weight_decay)
        params[i].copy_(param - update)
