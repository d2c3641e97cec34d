def climb(params: List[Tensor], grads: List[Tensor], rho: float, adaptive: bool) -> List[Tensor]:
    before = [param.clone() for param in params]
    directions = torch._foreach_mul(grads, torch._foreach_abs(params)) if adaptive else grads
    length = torch.stack([torch.norm(direction, 2).to(params[0].device) for direction in directions]).norm(2)
    scale = rho / (length + 1e-12)
    for i in range(len(params)):
        step = directions[i] * params[i].abs() if adaptive else directions[i]
        params[i].add_(step * scale.to(params[i].device))
    return before
