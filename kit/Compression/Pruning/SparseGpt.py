def sparsegpt_block(w: Tensor, factor: Tensor, rank: int, pruned: int, group: int) -> Tensor:
    diagonal = torch.diagonal(factor)
    mask = w != w
    if group == 0:
        scores = w ** 2 / diagonal ** 2
        mask = scores <= torch.sort(scores.flatten())[0][rank]
    left = w.clone()
    errors = torch.empty_like(w)
    for i in range(w.size(1)):
        if group != 0 and i % group == 0:
            scores = left.narrow(1, i, group) ** 2 / diagonal.narrow(0, i, group) ** 2
            mask.scatter_(1, torch.topk(scores, pruned, 1, False)[1] + i, True)
        column = left.select(1, i)
        kept = column.masked_fill(mask.select(1, i), 0.0)
        error = (column - kept) / factor[i, i]
        errors.select(1, i).copy_(error)
        left.narrow(1, i, w.size(1) - i).sub_(torch.outer(error, factor[i].narrow(0, i, w.size(1) - i)))
        w.select(1, i).copy_(kept)
    return errors
