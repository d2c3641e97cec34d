using System.Globalization;

namespace ResearchKit.Data;

/// <content>Literals, names, and what stands after a value: attributes, indices, calls, filters and tests.</content>
internal partial class JinjaExpressions
{
    private JinjaExpression Primary()
    {
        var token = Take();
        switch (token.Kind)
        {
            case JinjaKind.Name:
                return token.Text switch
                {
                    "true" or "True" => _ => true,
                    "false" or "False" => _ => false,
                    "none" or "None" => _ => null,
                    var variable => scope => scope.Get(variable),
                };
            case JinjaKind.String:
                var text = token.Text;
                while (Is(JinjaKind.String)) text += Take().Text;
                return _ => text;
            case JinjaKind.Integer when long.TryParse(token.Text, CultureInfo.InvariantCulture, out var integer):
                return _ =>
                integer;
            case JinjaKind.Float: return _ => double.Parse(token.Text, CultureInfo.InvariantCulture);
            case JinjaKind.Operator when token.Text == "(":
                if (AcceptOperator(")")) return _ => new JinjaTuple([]);
                var inner = Tuple();
                Expect(JinjaKind.Operator, ")");
                return inner;
            case JinjaKind.Operator when token.Text == "[": return List();
            case JinjaKind.Operator when token.Text == "{": return Map();
            default:
                at--;
                throw Error("an expression");
        }
    }

    private JinjaExpression List()
    {
        var items = new List<JinjaExpression>();
        while (!AcceptOperator("]"))
        {
            items.Add(Expression());
            if (!Is(JinjaKind.Operator, "]")) Expect(JinjaKind.Operator, ",");
        }
        return scope => items.ConvertAll(item => item(scope));
    }

    private JinjaExpression Map()
    {
        var entries = new List<(JinjaExpression Key, JinjaExpression Value)>();
        while (!AcceptOperator("}"))
        {
            var key = Expression();
            Expect(JinjaKind.Operator, ":");
            entries.Add((key, Expression()));
            if (!Is(JinjaKind.Operator, "}")) Expect(JinjaKind.Operator, ",");
        }
        return scope => JinjaValues.Map(entries.Select(entry => (JinjaValues.Text(entry.Key(scope)), entry.Value(scope))));
    }

    /// <summary>Parses attributes, indices and calls after a value.</summary>
    private JinjaExpression Postfix(JinjaExpression value)
    {
        while (true)
        {
            var of = value;
            if (Current is { Kind: JinjaKind.Operator, Text: "." or "[" or "(" }) Count();
            if (AcceptOperator("."))
            {
                if (Is(JinjaKind.Integer))
                {
                    var index = long.Parse(Take().Text, CultureInfo.InvariantCulture);
                    value = scope => JinjaAccess.Item(of(scope), index);
                    continue;
                }
                var attribute = TakeName();
                value = scope => JinjaAccess.Attribute(of(scope), attribute);
            }
            else if (AcceptOperator("[")) value = Subscript(of);
            else if (Is(JinjaKind.Operator, "(")) value = Call(of);
            else return value;
        }
    }

    /// <summary>Parses an index, or a slice with up to three bounds.</summary>
    private JinjaExpression Subscript(JinjaExpression of)
    {
        var bounds = new JinjaExpression?[3];
        var part = 0;
        while (!Is(JinjaKind.Operator, "]"))
        {
            if (part < 2 && AcceptOperator(":")) part++;
            else if (bounds[part] is null) bounds[part] = Expression();
            else throw Error("']'");
        }
        at++;
        if (part > 0) return scope => JinjaAccess.Slice(of(scope), bounds[0]?.Invoke(scope), bounds[1]?.Invoke(scope),
            bounds[2]?.Invoke(scope));
        var index = bounds[0] ?? throw Error("an index");
        return scope => JinjaAccess.Item(of(scope), index(scope));
    }

    private JinjaExpression Call(JinjaExpression of)
    {
        var arguments = Arguments();
        return scope => of(scope) switch
        {
            JinjaFunction function => function(arguments(scope)),
            JinjaUndefined undefined =>
                throw new ChatTemplateException($"The template calls '{undefined.Name}', which is not defined."),
            var other => throw new ChatTemplateException($"The template calls {JinjaValues.Kind(other)} "
                + $"{JinjaValues.Repr(other)}."),
        };
    }

    protected Func<JinjaScope, JinjaArguments> Arguments()
    {
        var places = new List<JinjaExpression>();
        var named = new List<(string Name, JinjaExpression Value)>();
        Expect(JinjaKind.Operator, "(");
        while (!AcceptOperator(")"))
        {
            if (Is(JinjaKind.Name) && tokens[at + 1] is { Kind: JinjaKind.Operator, Text: "=" })
            {
                var key = TakeName();
                at++;
                named.Add((key, Expression()));
            }
            else places.Add(Expression());
            if (!Is(JinjaKind.Operator, ")")) Expect(JinjaKind.Operator, ",");
        }
        return scope =>
        {
            scope.Run.Step();
            return new(places.ConvertAll(value => value(scope)),
                named.ToDictionary(entry => entry.Name, entry => entry.Value(scope)));
        };
    }

    protected JinjaExpression Filtered(JinjaExpression value)
    {
        while (true)
        {
            if (Is(JinjaKind.Operator, "|") || Is(JinjaKind.Name, "is")) Count();
            if (AcceptOperator("|")) value = Filter(value);
            else if (Accept(JinjaKind.Name, "is")) value = Test(value);
            else if (Is(JinjaKind.Operator, "(")) value = Call(value);
            else return value;
        }
    }

    protected JinjaExpression Filter(JinjaExpression value)
    {
        var line = Current.Line;
        var named = TakeName();
        if (!JinjaFilters.All.TryGetValue(named, out var filter))
            throw new InvalidDataException($"{name}, line {line}: the filter '{named}' is not supported.");
        Func<JinjaScope, JinjaArguments> arguments = Is(JinjaKind.Operator, "(") ? Arguments()
            : _ => JinjaArguments.None;
        return scope => filter(value(scope), arguments(scope));
    }

    private JinjaExpression Test(JinjaExpression value)
    {
        var negated = Accept(JinjaKind.Name, "not");
        var line = Current.Line;
        var named = Is(JinjaKind.Operator) && Comparisons.Contains(Current.Text) ? Take().Text : TakeName();
        if (!JinjaTests.All.TryGetValue(named, out var test))
            throw new InvalidDataException($"{name}, line {line}: the test '{named}' is not supported.");
        Func<JinjaScope, JinjaArguments> arguments = _ => JinjaArguments.None;
        if (Is(JinjaKind.Operator, "(")) arguments = Arguments();
        else if (Current.Kind is JinjaKind.String or JinjaKind.Integer or JinjaKind.Float
            || (Current.Kind == JinjaKind.Name && Current.Text is not ("else" or "or" or "and" or "is" or "if" or "not" or "in"))
            || Is(JinjaKind.Operator, "[") || Is(JinjaKind.Operator, "{"))
        {
            var argument = Postfix(Primary());
            arguments = scope => new([argument(scope)], new Dictionary<string, object?>());
        }
        return scope => test(value(scope), arguments(scope)) != negated;
    }
}
