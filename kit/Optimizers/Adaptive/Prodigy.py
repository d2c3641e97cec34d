def begin(params: List[Tensor], starts: List[Tensor], slice: int) -> None:
    for i in range(len(params)):
        starts[i].copy_(params[i].flatten()[::slice])


def look(
        params: List[Tensor], grads: List[Tensor], means: List[Tensor], squares: List[Tensor],
        sums: List[Tensor], starts: List[Tensor], d: float, beta1: float, beta2: float, beta3: float,
        scale: float, weight_decay: float, slice: int) -> Tensor:
    if weight_decay != 0.0:
        grads = torch._foreach_add(grads, params, alpha=weight_decay)
    sliced = [grad.flatten()[::slice] for grad in grads]
    covered = [torch.dot(sliced[i], starts[i] - params[i].flatten()[::slice]) for i in range(len(params))]
    torch._foreach_mul_(means, beta1)
    torch._foreach_add_(means, grads, alpha=d * (1.0 - beta1))
    torch._foreach_mul_(squares, beta2)
    torch._foreach_addcmul_(squares, grads, grads, value=d * d * (1.0 - beta2))
    torch._foreach_mul_(sums, beta3)
    torch._foreach_add_(sums, sliced, alpha=scale)
    return torch.stack([torch.stack(covered).double().sum(), torch.stack(torch._foreach_norm(sums, 1)).double().sum()])


def move(
        params: List[Tensor], means: List[Tensor], squares: List[Tensor], lr: float, eps: float,
        weight_decay: float) -> None:
    denominators = torch._foreach_sqrt(squares)
    torch._foreach_add_(denominators, eps)
    if weight_decay != 0.0:
        torch._foreach_mul_(params, 1.0 - lr * weight_decay)
    torch._foreach_addcdiv_(params, means, denominators, value=-lr)
