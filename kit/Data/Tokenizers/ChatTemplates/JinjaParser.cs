namespace ResearchKit.Data;

/// <summary>A statement of a template: writes to the output, and says how to go on.</summary>
internal delegate JinjaFlow JinjaStatement(JinjaScope scope);

/// <summary>Parses the statements of templates (https://jinja.palletsprojects.com/en/stable/templates).</summary>
internal sealed class JinjaParser : JinjaExpressions
{
    private const int Deepest = 100;

    private readonly string name;
    private int blocks;

    private JinjaParser(List<JinjaToken> tokens, string name) : base(tokens, name) => this.name = name;

    /// <summary>Parses a template.</summary>
    /// <exception cref="InvalidDataException">It is malformed or not supported; the message says which line.</exception>
    public static JinjaStatement Parse(string source, string name)
    {
        var parser = new JinjaParser(JinjaLexer.Read(source, name), name);
        var (body, _) = parser.Body();
        return body;
    }

    /// <summary>Parses statements up to a tag that ends them, and past its name.</summary>
    private (JinjaStatement Body, string End) Body(params string[] ends)
    {
        if (++blocks > Deepest) throw Error($"blocks nested at most {Deepest} deep");
        var statements = new List<JinjaStatement>();
        var end = "";
        while (true)
        {
            if (Is(JinjaKind.Text))
            {
                var text = Take().Text;
                statements.Add(scope => Written(scope, text));
            }
            else if (Is(JinjaKind.VariableBegin))
            {
                Take();
                var value = Tuple();
                Expect(JinjaKind.VariableEnd);
                statements.Add(scope => Written(scope, JinjaValues.Text(value(scope))));
            }
            else if (Is(JinjaKind.BlockBegin))
            {
                Take();
                var line = Current.Line;
                var tag = TakeName();
                if (ends.Contains(tag))
                {
                    end = tag;
                    break;
                }
                statements.Add(Statement(tag, line));
            }
            else if (ends.Length == 0) break;
            else throw Error($"'{{% {ends[^1]} %}}'");
        }
        blocks--;
        return (scope =>
        {
            foreach (var statement in statements)
            {
                scope.Run.Step();
                if (statement(scope) is var flow && flow != JinjaFlow.Next) return flow;
            }
            return JinjaFlow.Next;
        }, end);
    }

    private static JinjaFlow Written(JinjaScope scope, string text)
    {
        scope.Run.Write(text);
        return JinjaFlow.Next;
    }

    private JinjaStatement Statement(string tag, int line)
    {
        switch (tag)
        {
            case "if": return If();
            case "for": return For();
            case "set": return Set();
            case "macro": return Macro();
            case "with": return With();
            case "filter": return FilterBlock();
            case "call": return CallBlock();
            case "do":
                var action = Tuple();
                Expect(JinjaKind.BlockEnd);
                return scope =>
                {
                    action(scope);
                    return JinjaFlow.Next;
                };
            case "break":
                Expect(JinjaKind.BlockEnd);
                return _ => JinjaFlow.Break;
            case "continue":
                Expect(JinjaKind.BlockEnd);
                return _ => JinjaFlow.Continue;
            case "generation":
                Expect(JinjaKind.BlockEnd);
                var body = Ended(tag);
                return scope => body(scope.Inner());
            default:
                throw new InvalidDataException($"{name}, line {line}: the tag '{tag}' is not supported or not expected "
                + "here.");
        }
    }

    /// <summary>Parses statements up to the tag that ends a block.</summary>
    private JinjaStatement Ended(string tag)
    {
        var (body, _) = Body($"end{tag}");
        Expect(JinjaKind.BlockEnd);
        return body;
    }

    private JinjaStatement If()
    {
        var branches = new List<(JinjaExpression? Condition, JinjaStatement Body)>();
        JinjaExpression? condition = Tuple();
        Expect(JinjaKind.BlockEnd);
        while (true)
        {
            var (body, end) = condition is null ? Body("endif") : Body("elif", "else", "endif");
            branches.Add((condition, body));
            condition = end == "elif" ? Tuple() : null;
            Expect(JinjaKind.BlockEnd);
            if (end == "endif") break;
        }
        return scope =>
        {
            foreach (var (test, body) in branches)
                if (test is null || JinjaValues.IsTrue(test(scope))) return body(scope);
            return JinjaFlow.Next;
        };
    }

    private JinjaStatement For()
    {
        var targets = Targets();
        Expect(JinjaKind.Name, "in");
        var items = Expression(conditional: false);
        var condition = Accept(JinjaKind.Name, "if") ? Expression() : null;
        if (Is(JinjaKind.Name, "recursive")) throw Error("a loop that is not recursive");
        Expect(JinjaKind.BlockEnd);
        var (body, end) = Body("else", "endfor");
        JinjaStatement? otherwise = null;
        Expect(JinjaKind.BlockEnd);
        if (end == "else") otherwise = Ended("for");
        return scope => new JinjaLoop(targets, condition, body, otherwise).Run(scope, JinjaValues.Items(items(scope)));
    }

    private List<string> Targets()
    {
        var bracket = AcceptOperator("(");
        var targets = new List<string> { TakeName() };
        while (AcceptOperator(",")) targets.Add(TakeName());
        if (bracket) Expect(JinjaKind.Operator, ")");
        return targets;
    }

    private JinjaStatement Set()
    {
        var targets = Targets();
        var attribute = AcceptOperator(".") ? TakeName() : null;
        if (AcceptOperator("="))
        {
            var value = Tuple();
            Expect(JinjaKind.BlockEnd);
            return scope => Assigned(scope, targets, attribute, value(scope));
        }
        JinjaExpression block = scope => scope.Get("\0block");
        while (AcceptOperator("|")) block = Filter(block);
        Expect(JinjaKind.BlockEnd);
        var body = Ended("set");
        return scope =>
        {
            var inner = scope.Inner();
            inner.Set("\0block", scope.Run.Captured(() => body(scope.Inner())));
            return Assigned(scope, targets, attribute, block(inner));
        };
    }

    private static JinjaFlow Assigned(JinjaScope scope, List<string> targets, string? attribute, object? value)
    {
        if (attribute is null) JinjaLoop.Unpack(scope, targets, value);
        else if (scope.Get(targets[0]) is JinjaMap { IsNamespace: true } map) map[attribute] = value;
        else throw new ChatTemplateException($"The template sets '{targets[0]}.{attribute}'; expected '{targets[0]}' to be a "
            + "namespace.");
        return JinjaFlow.Next;
    }

    private JinjaStatement Macro()
    {
        var macro = TakeName();
        var parameters = Parameters();
        Expect(JinjaKind.BlockEnd);
        var body = Ended("macro");
        return scope =>
        {
            scope.Set(macro, Function(scope, macro, parameters, body));
            return JinjaFlow.Next;
        };
    }

    private List<(string Name, JinjaExpression? Otherwise)> Parameters()
    {
        var parameters = new List<(string, JinjaExpression?)>();
        Expect(JinjaKind.Operator, "(");
        while (!AcceptOperator(")"))
        {
            var parameter = TakeName();
            parameters.Add((parameter, AcceptOperator("=") ? Expression() : null));
            if (!Is(JinjaKind.Operator, ")")) Expect(JinjaKind.Operator, ",");
        }
        return parameters;
    }

    private static JinjaFunction Function(JinjaScope outer, string macro,
        List<(string Name, JinjaExpression? Otherwise)> parameters,
        JinjaStatement body) => arguments =>
    {
        if (arguments.Values.Count > parameters.Count)
            throw new ChatTemplateException($"The macro '{macro}' got {arguments.Values.Count} arguments; expected at most "
                + $"{parameters.Count}.");
        var scope = outer.Inner();
        for (var at = 0; at < parameters.Count; at++)
        {
            var (parameter, otherwise) = parameters[at];
            scope.Set(parameter, at < arguments.Values.Count ? arguments.Values[at]
                : arguments.Named.TryGetValue(parameter, out var named) ? named
                : otherwise is null ? new JinjaUndefined(parameter) : otherwise(scope));
        }
        if (arguments.Named.TryGetValue("caller", out var caller)) scope.Set("caller", caller);
        return scope.Run.Captured(() => body(scope));
    };

    private JinjaStatement CallBlock()
    {
        var parameters = Is(JinjaKind.Operator, "(") ? Parameters() : [];
        var callee = TakeName();
        var arguments = Arguments();
        Expect(JinjaKind.BlockEnd);
        var body = Ended("call");
        return scope =>
        {
            if (scope.Get(callee) is not JinjaFunction function)
                throw new ChatTemplateException($"The template calls '{callee}', which is not defined.");
            var given = arguments(scope);
            var named = given.Named.ToDictionary();
            named["caller"] = Function(scope, "caller", parameters, body);
            return Written(scope, JinjaValues.Text(function(given with { Named = named })));
        };
    }

    private JinjaStatement With()
    {
        var values = new List<(string Name, JinjaExpression Value)>();
        while (!Is(JinjaKind.BlockEnd))
        {
            var variable = TakeName();
            Expect(JinjaKind.Operator, "=");
            values.Add((variable, Expression()));
            if (!Is(JinjaKind.BlockEnd)) Expect(JinjaKind.Operator, ",");
        }
        Expect(JinjaKind.BlockEnd);
        var body = Ended("with");
        return scope =>
        {
            var inner = scope.Inner();
            foreach (var (variable, value) in values) inner.Set(variable, value(scope));
            return body(inner);
        };
    }

    private JinjaStatement FilterBlock()
    {
        JinjaExpression block = scope => scope.Get("\0block");
        do block = Filter(block);
        while (AcceptOperator("|"));
        Expect(JinjaKind.BlockEnd);
        var body = Ended("filter");
        return scope =>
        {
            var inner = scope.Inner();
            inner.Set("\0block", scope.Run.Captured(() => body(scope.Inner())));
            return Written(scope, JinjaValues.Text(block(inner)));
        };
    }
}
