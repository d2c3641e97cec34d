def norm(grads: List[Tensor], order: float) -> Tensor:
    norms = torch._foreach_norm(grads, order)
    return torch.linalg_vector_norm(torch.stack([norm.to(norms[0].device) for norm in norms]), order)
