def pack(weight: Tensor, block: int) -> Tensor:
    return torch.to_sparse_bsr(weight, [block, block])


def multiply(weight: Tensor, x: Tensor) -> Tensor:
    return torch.matmul(weight, x)
