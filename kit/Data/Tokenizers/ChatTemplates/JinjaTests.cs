namespace ResearchKit.Data;

/// <summary>Tests of templates, as in <c>value is defined</c>.</summary>
internal static class JinjaTests
{
    public static Dictionary<string, Func<object?, JinjaArguments, bool>> All { get; } = new(StringComparer.Ordinal)
    {
        ["defined"] = (value, _) => value is not JinjaUndefined,
        ["undefined"] = (value, _) => value is JinjaUndefined,
        ["none"] = (value, _) => value is null,
        ["string"] = (value, _) => value is string,
        ["number"] = (value, _) => JinjaValues.IsNumber(value),
        ["integer"] = (value, _) => value is long,
        ["float"] = (value, _) => value is double,
        ["boolean"] = (value, _) => value is bool,
        ["true"] = (value, _) => value is true,
        ["false"] = (value, _) => value is false,
        ["mapping"] = (value, _) => value is JinjaMap { IsNamespace: false },
        ["iterable"] = (value, _) => value is string or List<object?> or JinjaMap { IsNamespace: false } or JinjaUndefined,
        ["sequence"] = (value, _) => value is string or List<object?> or JinjaMap { IsNamespace: false } or JinjaUndefined,
        ["callable"] = (value, _) => value is JinjaFunction,
        ["odd"] = (value, _) => JinjaValues.Integer(value) % 2 != 0,
        ["even"] = (value, _) => JinjaValues.Integer(value) % 2 == 0,
        ["divisibleby"] = (value, arguments) => JinjaValues.Same(JinjaValues.Arithmetic(value, arguments.Get(0, "num"), "%"), 0L),
        ["upper"] = (value, _) => JinjaValues.Text(value) is var text && text.Any(char.IsUpper) && !text.Any(char.IsLower),
        ["lower"] = (value, _) => JinjaValues.Text(value) is var text && text.Any(char.IsLower) && !text.Any(char.IsUpper),
        ["sameas"] = (value, arguments) => arguments.Get(0, "other") is var other
            && (ReferenceEquals(value, other) || (value is bool or string or long && value.Equals(other))),
        ["in"] = (value, arguments) => JinjaValues.Contains(arguments.Get(0, "seq"), value),
        ["equalto"] = Compared("=="),
        ["eq"] = Compared("=="),
        ["=="] = Compared("=="),
        ["ne"] = Compared("!="),
        ["!="] = Compared("!="),
        ["lt"] = Compared("<"),
        ["lessthan"] = Compared("<"),
        ["<"] = Compared("<"),
        ["le"] = Compared("<="),
        ["<="] = Compared("<="),
        ["gt"] = Compared(">"),
        ["greaterthan"] = Compared(">"),
        [">"] = Compared(">"),
        ["ge"] = Compared(">="),
        [">="] = Compared(">="),
    };

    private static Func<object?, JinjaArguments, bool> Compared(string symbol) =>
        (value, arguments) => JinjaExpressions.Holds(value, symbol, arguments.Get(0, "other"));
}
