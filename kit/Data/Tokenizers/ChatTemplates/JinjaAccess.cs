namespace ResearchKit.Data;

/// <summary>Attributes, items and slices of values, with Python's meaning.</summary>
internal static class JinjaAccess
{
    /// <summary>Returns <c>value.name</c>: a method or, of a dictionary, an entry.</summary>
    public static object? Attribute(object? value, string name)
    {
        if (value is JinjaUndefined undefined) throw Undefined(undefined, name);
        if (value is JinjaMap { IsNamespace: true } names) return names.TryGetValue(name, out var found) ? found
            : new JinjaUndefined(name);
        return JinjaMethods.Find(value, name)
            ?? (value is JinjaMap map && map.TryGetValue(name, out var entry) ? entry
                : value is JinjaMap or null or string or List<object?> or bool or long or double or JinjaFunction
                    ? Missing(value, name) : null);
    }

    /// <summary>Returns <c>value[index]</c>.</summary>
    public static object? Item(object? value, object? index)
    {
        switch (value)
        {
            case JinjaUndefined undefined: throw Undefined(undefined, JinjaValues.Text(index));
            case JinjaMap map:
                return map.TryGetValue(JinjaValues.Text(index), out var entry) ? entry
                : index is string method && JinjaMethods.Find(value, method) is { } found ? found
                    : Missing(value, JinjaValues.Text(index));
            case List<object?> list when index is long or bool:
                var place = JinjaValues.Integer(index);
                if (place < 0) place += list.Count;
                return place >= 0 && place < list.Count ? list[(int)place] : Missing(value, JinjaValues.Text(index));
            case string text when index is long or bool:
                return Item(JinjaValues.Items(text)
                .ToList(), index) is string character ? character
                : Missing(value, JinjaValues.Text(index));
            default:
                return index is string name && JinjaMethods.Find(value, name) is { } other ? other
                : Missing(value, JinjaValues.Text(index));
        }
    }

    /// <summary>Returns <c>value[start:stop:step]</c>.</summary>
    public static object? Slice(object? value, object? start, object? stop, object? step)
    {
        if (value is JinjaUndefined undefined) throw Undefined(undefined, "[:]");
        if (value is not (string or List<object?>))
            throw new ChatTemplateException($"The template slices {JinjaValues.Kind(value)} {JinjaValues.Repr(value)}; "
                + "expected a list or text.");
        var items = JinjaValues.Items(value).ToList();
        var by = step is null ? 1 : JinjaValues.Integer(step);
        if (by == 0) throw new ChatTemplateException("The template slices with the step 0.");
        var (low, high) = by > 0 ? (0L, (long)items.Count) : (-1L, items.Count - 1L);
        var from = Bound(start, by > 0 ? low : high);
        var to = Bound(stop, by > 0 ? high : low);
        var taken = new List<object?>();
        for (var at = from; by > 0 ? at < to : at > to; at += by) taken.Add(items[(int)at]);
        return value is string ? string.Concat(taken) : taken;

        long Bound(object? bound, long otherwise)
        {
            if (bound is null) return otherwise;
            var place = JinjaValues.Integer(bound);
            return Math.Clamp(place < 0 ? place + items.Count : place, low, high);
        }
    }

    private static JinjaUndefined Missing(object? value, string name) =>
        new($"{name}' of {JinjaValues.Kind(value)} '{Short(value)}");

    private static string Short(object? value) => JinjaValues.Repr(value) is { Length: > 60 } text ? text[..60] + "…"
        : JinjaValues.Repr(value);

    private static ChatTemplateException Undefined(JinjaUndefined value, string name) =>
        new($"The template reads '{name}' of '{value.Name}', which is not defined.");
}
