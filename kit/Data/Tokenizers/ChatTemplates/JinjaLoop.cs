namespace ResearchKit.Data;

/// <summary>A <c>for</c> of a template.</summary>
internal sealed class JinjaLoop(IReadOnlyList<string> targets, JinjaExpression? condition, JinjaStatement body,
    JinjaStatement? otherwise)
{
    public JinjaFlow Run(JinjaScope outer, IEnumerable<object?> source)
    {
        var items = new List<object?>();
        foreach (var item in source)
        {
            outer.Run.Step();
            if (condition is not null)
            {
                var tested = outer.Inner();
                Unpack(tested, targets, item);
                if (!JinjaValues.IsTrue(condition(tested))) continue;
            }
            items.Add(item);
        }
        if (items.Count == 0) return otherwise?.Invoke(outer.Inner()) ?? JinjaFlow.Next;
        for (var at = 0; at < items.Count; at++)
        {
            outer.Run.Step();
            var scope = outer.Inner();
            scope.Set("loop", Variables(items, at));
            Unpack(scope, targets, items[at]);
            if (body(scope) == JinjaFlow.Break) break;
        }
        return JinjaFlow.Next;
    }

    /// <summary>Sets one name to a value, or several to its items.</summary>
    public static void Unpack(JinjaScope scope, IReadOnlyList<string> targets, object? value)
    {
        if (targets.Count == 1)
        {
            scope.Set(targets[0], value);
            return;
        }
        var parts = JinjaValues.Items(value).ToList();
        if (parts.Count != targets.Count)
            throw new ChatTemplateException($"The template unpacks {parts.Count} values into {targets.Count} names "
                + $"({string.Join(", ", targets)}).");
        for (var at = 0; at < parts.Count; at++) scope.Set(targets[at], parts[at]);
    }

    private static JinjaMap Variables(List<object?> items, int at) => new()
    {
        IsNamespace = true,
        ["index"] = at + 1L,
        ["index0"] = (long)at,
        ["revindex"] = (long)(items.Count - at),
        ["revindex0"] = items.Count - at - 1L,
        ["first"] = at == 0,
        ["last"] = at == items.Count - 1,
        ["length"] = (long)items.Count,
        ["previtem"] = at > 0 ? items[at - 1] : new JinjaUndefined("loop.previtem"),
        ["nextitem"] = at + 1 < items.Count ? items[at + 1] : new JinjaUndefined("loop.nextitem"),
        ["cycle"] = (JinjaFunction)(arguments => arguments.Values.Count > 0 ? arguments.Values[at % arguments.Values.Count]
            : throw new ChatTemplateException("The template cycles through no values.")),
    };
}
