namespace ResearchKit.Data;

/// <summary>An expression of a template, ready to be computed.</summary>
internal delegate object? JinjaExpression(JinjaScope scope);

/// <summary>Parses expressions of templates (https://jinja.palletsprojects.com/en/stable/templates/#expressions).</summary>
internal partial class JinjaExpressions(List<JinjaToken> tokens, string name)
{
    private const int Deepest = 200, Longest = 500;

    private static readonly string[] Comparisons = ["==", "!=", "<", "<=", ">", ">="];

    private int at;
    private int depth;
    private int length;

    protected JinjaToken Current => tokens[at];

    protected JinjaToken Take() => tokens[at++];

    protected bool Is(JinjaKind kind, string? text = null) => Current.Kind == kind && (text is null || Current.Text == text);

    protected bool Accept(JinjaKind kind, string text)
    {
        if (!Is(kind, text)) return false;
        at++;
        return true;
    }

    protected bool AcceptOperator(string text) => Accept(JinjaKind.Operator, text);

    protected string TakeName() => Is(JinjaKind.Name) ? Take().Text : throw Error("a name");

    protected void Expect(JinjaKind kind, string text = "")
    {
        if (!Is(kind, kind is JinjaKind.BlockEnd or JinjaKind.VariableEnd ? null : text)) throw Error(kind switch
        {
            JinjaKind.BlockEnd => "'%}'",
            JinjaKind.VariableEnd => "'}}'",
            _ => $"'{text}'",
        });
        at++;
    }

    protected InvalidDataException Error(string expected) =>
        new($"{name}, line {Current.Line}: got {(Current.Text.Length > 0 ? $"'{Current.Text}'" : Current.Kind)}; expected "
            + $"{expected}.");

    /// <summary>Parses an expression; with commas at its top level, a tuple.</summary>
    protected JinjaExpression Tuple()
    {
        var first = Expression();
        if (!Is(JinjaKind.Operator, ",")) return first;
        var items = new List<JinjaExpression> { first };
        while (AcceptOperator(","))
        {
            if (Is(JinjaKind.BlockEnd) || Is(JinjaKind.VariableEnd) || Is(JinjaKind.Operator, ")")) break;
            items.Add(Expression());
        }
        return scope => new JinjaTuple(items.Select(item => item(scope)));
    }

    protected JinjaExpression Expression(bool conditional = true)
    {
        if (depth == 0) length = 0;
        if (++depth > Deepest) throw Error($"expressions nested at most {Deepest} deep");
        var value = Or();
        while (conditional && Accept(JinjaKind.Name, "if"))
        {
            Count();
            var (then, condition) = (value, Or());
            var otherwise = Accept(JinjaKind.Name, "else") ? Expression() : _ => new JinjaUndefined("the inline if without else");
            value = scope => JinjaValues.IsTrue(condition(scope)) ? then(scope) : otherwise(scope);
        }
        depth--;
        return value;
    }

    /// <summary>Counts an operation: each is computed inside of the next, so that too many would fill the stack.</summary>
    private void Count()
    {
        if (++length > Longest) throw Error($"expressions of at most {Longest} operations");
    }

    private JinjaExpression Or()
    {
        var left = And();
        while (Accept(JinjaKind.Name, "or"))
        {
            Count();
            var (first, second) = (left, And());
            left = scope => first(scope) is var value && JinjaValues.IsTrue(value) ? value : second(scope);
        }
        return left;
    }

    private JinjaExpression And()
    {
        var left = Not();
        while (Accept(JinjaKind.Name, "and"))
        {
            Count();
            var (first, second) = (left, Not());
            left = scope => first(scope) is var value && !JinjaValues.IsTrue(value) ? value : second(scope);
        }
        return left;
    }

    private JinjaExpression Not()
    {
        if (!Accept(JinjaKind.Name, "not")) return Comparison();
        if (++depth > Deepest) throw Error($"expressions nested at most {Deepest} deep");
        var value = Not();
        depth--;
        return scope => !JinjaValues.IsTrue(value(scope));
    }

    private JinjaExpression Comparison()
    {
        var first = Sum();
        var others = new List<(string Symbol, JinjaExpression Value)>();
        while (true)
        {
            if (Current.Kind == JinjaKind.Operator && Comparisons.Contains(Current.Text)) others.Add((Take().Text, Sum()));
            else if (Accept(JinjaKind.Name, "in")) others.Add(("in", Sum()));
            else if (Is(JinjaKind.Name, "not") && tokens[at + 1] is { Kind: JinjaKind.Name, Text: "in" })
            {
                at += 2;
                others.Add(("not in", Sum()));
            }
            else break;
        }
        if (others.Count == 0) return first;
        return scope =>
        {
            var left = first(scope);
            foreach (var (symbol, next) in others)
            {
                var right = next(scope);
                if (!Holds(left, symbol, right)) return false;
                left = right;
            }
            return true;
        };
    }

    internal static bool Holds(object? left, string symbol, object? right) => symbol switch
    {
        "==" => JinjaValues.Same(left, right),
        "!=" => !JinjaValues.Same(left, right),
        "in" => JinjaValues.Contains(right, left),
        "not in" => !JinjaValues.Contains(right, left),
        "<" => JinjaValues.Compare(left, right) < 0,
        "<=" => JinjaValues.Compare(left, right) <= 0,
        ">" => JinjaValues.Compare(left, right) > 0,
        _ => JinjaValues.Compare(left, right) >= 0,
    };

    private JinjaExpression Sum()
    {
        var left = Concatenation();
        while (Is(JinjaKind.Operator, "+") || Is(JinjaKind.Operator, "-"))
        {
            Count();
            var symbol = Take().Text;
            var (first, second) = (left, Concatenation());
            left = scope => symbol == "+" ? JinjaValues.Add(first(scope), second(scope))
                : JinjaValues.Arithmetic(first(scope), second(scope), symbol);
        }
        return left;
    }

    private JinjaExpression Concatenation()
    {
        var first = Product();
        if (!Is(JinjaKind.Operator, "~")) return first;
        var parts = new List<JinjaExpression> { first };
        while (AcceptOperator("~")) parts.Add(Product());
        return scope => string.Concat(parts.ConvertAll(part => JinjaValues.Text(part(scope))));
    }

    private JinjaExpression Product()
    {
        var left = Power();
        while (Current is { Kind: JinjaKind.Operator, Text: "*" or "/" or "//" or "%" })
        {
            Count();
            var symbol = Take().Text;
            var (first, second) = (left, Power());
            left = scope => JinjaValues.Arithmetic(first(scope), second(scope), symbol);
        }
        return left;
    }

    private JinjaExpression Power()
    {
        var left = Unary(filters: true);
        while (AcceptOperator("**"))
        {
            Count();
            var (first, second) = (left, Unary(filters: true));
            left = scope => JinjaValues.Arithmetic(first(scope), second(scope), "**");
        }
        return left;
    }

    private JinjaExpression Unary(bool filters)
    {
        if (++depth > Deepest) throw Error($"expressions nested at most {Deepest} deep");
        JinjaExpression value;
        if (AcceptOperator("-"))
        {
            var inner = Unary(filters: false);
            value = scope => JinjaValues.Arithmetic(0L, inner(scope), "-");
        }
        else value = AcceptOperator("+") ? Unary(filters: false) : Primary();
        value = Postfix(value);
        if (filters) value = Filtered(value);
        depth--;
        return value;
    }
}
