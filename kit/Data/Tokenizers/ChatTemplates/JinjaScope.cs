using System.Text;

namespace ResearchKit.Data;

/// <summary>How the loop around a statement goes on.</summary>
internal enum JinjaFlow
{
    Next, Break, Continue,
}

/// <summary>The value of a name or attribute that does not exist.</summary>
internal sealed record JinjaUndefined(string Name);

/// <summary>A function of a template.</summary>
internal delegate object? JinjaFunction(JinjaArguments arguments);

/// <summary>Arguments of a function, a filter or a test.</summary>
internal sealed record JinjaArguments(IReadOnlyList<object?> Values, IReadOnlyDictionary<string, object?> Named)
{
    /// <summary>No arguments.</summary>
    public static JinjaArguments None { get; } = new([], new Dictionary<string, object?>());

    /// <summary>Returns an argument by place or name, or another value if it is missing.</summary>
    public object? Get(int place, string name, object? otherwise = null) => place < Values.Count ? Values[place]
        : Named.GetValueOrDefault(name, otherwise);

    /// <summary>Returns an argument as a string.</summary>
    public string Text(int place, string name, string otherwise) => Get(place, name) is { } value ? JinjaValues.Text(value)
        : otherwise;

    /// <summary>Returns an argument as a number, or null.</summary>
    public long? Integer(int place, string name) => Get(place, name) is { } value ? JinjaValues.Integer(value) : null;
}

/// <summary>The budget and the output of one rendering, shared by its scopes.</summary>
internal sealed class JinjaRun
{
    private const int MostSteps = 2_000_000, MostCharacters = 50_000_000, MostCalls = 100;

    private int steps;

    /// <summary>The text so far; blocks that are set or called replace it for a while.</summary>
    public StringBuilder Output { get; set; } = new();

    public int Calls { get; private set; }

    /// <summary>Counts a step.</summary>
    public void Step()
    {
        if (!System.Runtime.CompilerServices.RuntimeHelpers.TryEnsureSufficientExecutionStack())
            throw new ChatTemplateException("The template's blocks and macros are nested too deep.");
        if (++steps > MostSteps)
            throw new ChatTemplateException($"The template takes more than {MostSteps:N0} steps; expected an end.");
    }

    public void Write(string text)
    {
        if (Output.Length + (long)text.Length > MostCharacters)
            throw new ChatTemplateException($"The template writes more than {MostCharacters:N0} characters.");
        Output.Append(text);
    }

    /// <summary>Runs a macro, and returns what it writes.</summary>
    public string Captured(Action body)
    {
        if (++Calls > MostCalls) throw new ChatTemplateException($"Macros call each other more than {MostCalls} deep.");
        var outer = Output;
        Output = new StringBuilder();
        try
        {
            body();
            return Output.ToString();
        }
        finally
        {
            Output = outer;
            Calls--;
        }
    }
}

/// <summary>The variables of a block, which sees those of the blocks around it.</summary>
internal sealed class JinjaScope(JinjaRun run, JinjaScope? outer = null)
{
    private readonly Dictionary<string, object?> values = new(StringComparer.Ordinal);

    public JinjaRun Run => run;

    public JinjaScope Inner() => new(run, this);

    public void Set(string name, object? value) => values[name] = value;

    public object? Get(string name)
    {
        for (var scope = this; scope is not null; scope = scope.Outer)
            if (scope.values.TryGetValue(name, out var value)) return value;
        return new JinjaUndefined(name);
    }

    private JinjaScope? Outer => outer;
}
