namespace ResearchKit.Kernel.Languages;

/// <summary>The variables that a language's cells have declared, to look at and to share.</summary>
public interface IVariables
{
    /// <summary>The variables in sight, each name once: its latest declaration.</summary>
    IReadOnlyList<Variable> Variables { get; }

    /// <summary>The value of one variable, as this process can hold it.</summary>
    /// <exception cref="KeyNotFoundException">There is no such variable; the message lists those that there are.</exception>
    Task<object?> GetAsync(string name, CancellationToken cancellation)
    {
        var all = Variables;
        return all.FirstOrDefault(variable => variable.Name == name) is { } found ? Task.FromResult(found.Value)
            : throw new KeyNotFoundException($"There is no variable '{name}'; there "
                + $"{(all.Count == 0 ? "are none" : $"are {string.Join(", ", all.Select(variable => variable.Name))}")}.");
    }

    /// <summary>Declares a variable with a value of this process; a later cell sees it.</summary>
    /// <exception cref="ArgumentException">The name is no name in this language, or it cannot hold the value.</exception>
    Task SetAsync(string name, object? value, CancellationToken cancellation);
}

/// <summary>A variable of a session.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Type">Its declared type.</param>
/// <param name="Value">Its value now.</param>
public sealed record Variable(string Name, Type Type, object? Value);
