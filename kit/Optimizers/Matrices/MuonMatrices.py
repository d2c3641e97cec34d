def product(a: Tensor, b: Tensor, in_float32: bool) -> Tensor:
    if in_float32:
        return torch.matmul(a.float(), b.float()).to(a.dtype)
    return torch.matmul(a, b)


def orthogonal(matrix: Tensor, steps: int, precision: int, in_float32: bool) -> Tensor:
    tall = matrix.size(-2) > matrix.size(-1)
    x = matrix.to(precision)
    if tall:
        x = x.transpose(-2, -1)
    x = x / (x.norm(2, [-2, -1], keepdim=True) + 1e-7)
    for _ in range(steps):
        a = product(x, x.transpose(-2, -1), in_float32)
        b = a * -4.7750 + product(a * 2.0315, a, in_float32)
        x = x * 3.4445 + product(b, x, in_float32)
    return x.transpose(-2, -1) if tall else x


def muon(
        params: List[Tensor], grads: List[Tensor], means: List[Tensor], lr: float, momentum: float,
        weight_decay: float, nesterov: bool, steps: int, precision: int,
        in_float32: bool) -> None:
    torch._foreach_lerp_(means, grads, 1.0 - momentum)
    updates = torch._foreach_lerp(grads, means, momentum) if nesterov else means
    if weight_decay != 0.0:
        torch._foreach_mul_(params, 1.0 - lr * weight_decay)
    update = torch.stack(updates)
    shape = update.shape
    if len(shape) == 5:
        update = update.flatten(2)
    grown = max(1.0, shape[-2] / shape[-1]) ** 0.5
    update = (orthogonal(update, steps, precision, in_float32) * grown).to(params[0].dtype).reshape(shape)
    torch._foreach_add_(params, update.unbind(), alpha=-lr)
