def turn(x, cosine, sine):
    a, b = torch.chunk(x, 2, -1)
    return torch.cat([(a * cosine) - (b * sine), (b * cosine) + (a * sine)], -1)


def attend(query, key, value, keys, values, before: int):
    batch, heads, one, width = query.shape
    keys.narrow(2, before, 1).copy_(key)
    values.narrow(2, before, 1).copy_(value)
    key_heads = keys.size(1)
    grouped = query.reshape(batch, key_heads, heads // key_heads, width)
    found = torch.scaled_dot_product_attention(grouped, keys.narrow(2, 0, before + 1), values.narrow(2, 0, before + 1))
    return found.reshape(batch, 1, heads * values.size(3))


def plain(query, key, value, keys, values, before: int, heads: int, key_heads: int):
    batch = query.size(0)
    return attend(
        query.view(batch, heads, 1, -1), key.view(batch, key_heads, 1, -1), value.view(batch, key_heads, 1, -1),
        keys, values, before)


def rotated(query, key, value, keys, values, before: int, heads: int, key_heads: int, cosine, sine):
    batch = query.size(0)
    return attend(
        turn(query.view(batch, heads, 1, -1), cosine, sine), turn(key.view(batch, key_heads, 1, -1), cosine, sine),
        value.view(batch, key_heads, 1, -1), keys, values, before)


def joined(x, keys, values, before: int, heads: int):
    query, key, value = torch.chunk(x, 3, -1)
    batch = x.size(0)
    return attend(
        query.view(batch, heads, 1, -1), key.view(batch, heads, 1, -1), value.view(batch, heads, 1, -1),
        keys, values, before)
