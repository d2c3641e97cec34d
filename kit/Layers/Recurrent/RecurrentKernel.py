def lstm(
        x, h, c, weights: List[Tensor], biases: bool, layers: int, dropout: float, train: bool, both: bool,
        batch_first: bool):
    return torch.lstm(x, [h, c], weights, biases, layers, dropout, train, both, batch_first)


def gru(
        x, h, weights: List[Tensor], biases: bool, layers: int, dropout: float, train: bool, both: bool,
        batch_first: bool):
    return torch.gru(x, h, weights, biases, layers, dropout, train, both, batch_first)


def ordered(x, order, batch_first: bool):
    if batch_first:
        return x[order]
    return x[:, order]


def packed_lstm(
        x, lengths, h, c, weights: List[Tensor], biases: bool, layers: int, dropout: float, train: bool,
        both: bool, batch_first: bool, time: int):
    falling, order = torch.sort(lengths, descending=True)
    back = torch.argsort(order).to(x.device)
    order = order.to(x.device)
    data, sizes = torch._pack_padded_sequence(ordered(x, order, batch_first), falling, batch_first)
    y, h_n, c_n = torch.lstm(data, sizes, [h[:, order], c[:, order]], weights, biases, layers, dropout, train, both)
    padded, _ = torch._pad_packed_sequence(y, sizes, batch_first, 0.0, time)
    return ordered(padded, back, batch_first), h_n[:, back], c_n[:, back]


def packed_gru(
        x, lengths, h, weights: List[Tensor], biases: bool, layers: int, dropout: float, train: bool,
        both: bool, batch_first: bool, time: int):
    falling, order = torch.sort(lengths, descending=True)
    back = torch.argsort(order).to(x.device)
    order = order.to(x.device)
    data, sizes = torch._pack_padded_sequence(ordered(x, order, batch_first), falling, batch_first)
    y, h_n = torch.gru(data, sizes, h[:, order], weights, biases, layers, dropout, train, both)
    padded, _ = torch._pad_packed_sequence(y, sizes, batch_first, 0.0, time)
    return ordered(padded, back, batch_first), h_n[:, back]
