def lamb(
        params: List[Tensor], grads: List[Tensor], means: List[Tensor], squares: List[Tensor],
        clip: List[Tensor], lr: float, beta1: float, beta2: float, eps: float, correction1: float,
        correction2: float, gradient_share: float, coupled_decay: float, decoupled_decay: float, adapts: bool,
        most_weight: float, most_trust: float, cautious: bool) -> None:
    if len(clip) > 0:
        grads = torch._foreach_div(grads, clip[0])
    torch._foreach_mul_(means, beta1)
    torch._foreach_add_(means, grads, alpha=gradient_share)
    torch._foreach_mul_(squares, beta2)
    torch._foreach_addcmul_(squares, grads, grads, value=1.0 - beta2)

    denominators = torch._foreach_sqrt(squares)
    torch._foreach_div_(denominators, correction2 ** 0.5)
    torch._foreach_add_(denominators, eps)
    updates = torch._foreach_div(means, correction1)
    torch._foreach_div_(updates, denominators)
    if cautious:
        for i in range(len(updates)):
            agrees = (updates[i] * grads[i] > 0).to(updates[i].dtype)
            updates[i].mul_(agrees / agrees.mean().clamp_min(1e-3))
    if decoupled_decay != 0.0:
        torch._foreach_mul_(params, 1.0 - decoupled_decay)
    if coupled_decay != 0.0:
        torch._foreach_add_(updates, params, alpha=coupled_decay)
    if adapts:
        weight = torch.stack(torch._foreach_norm(params, 2)).clamp_max(most_weight)
        update = torch.stack(torch._foreach_norm(updates, 2))
        ratio = torch.where((weight > 0) & (update > 0), weight / update, torch.ones_like(weight)).clamp_max(most_trust)
        torch._foreach_mul_(updates, ratio.unbind())
    torch._foreach_add_(params, updates, alpha=-lr)
