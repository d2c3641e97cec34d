def directions(params: List[Tensor], grads: List[Tensor], weight_decay: float) -> List[Tensor]:
    return torch._foreach_add(grads, params, alpha=weight_decay)
