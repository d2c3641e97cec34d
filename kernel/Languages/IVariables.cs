namespace ResearchKit.Kernel.Languages;

/// <summary>The variables of a language, for listing them and for sharing them between languages.</summary>
public interface IVariables
{
    /// <summary>The visible variables; of several declarations of a name, the latest.</summary>
    IReadOnlyList<Variable> Variables { get; }

    /// <summary>
    /// Returns the value of a variable, converted to a .NET object if the language runs in another process.
    /// </summary>
    /// <exception cref="KeyNotFoundException">
    /// There is no such variable; the message lists the existing ones.
    /// </exception>
    Task<object?> GetAsync(string name, CancellationToken cancellation)
    {
        var all = Variables;
        return all.FirstOrDefault(variable => variable.Name == name) is { } found ? Task.FromResult(found.Value)
            : throw new KeyNotFoundException($"There is no variable '{name}'; there "
                + $"{(all.Count == 0 ? "are none" : $"are {string.Join(", ", all.Select(variable => variable.Name))}")}.");
    }

    /// <summary>Declares a variable with a value from this process, for later cells.</summary>
    /// <exception cref="ArgumentException">
    /// The name is not valid in this language, or the language cannot represent the value.
    /// </exception>
    Task SetAsync(string name, object? value, CancellationToken cancellation);
}

/// <summary>A variable of a session.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Type">Its declared type.</param>
/// <param name="Value">Its value now.</param>
public sealed record Variable(string Name, Type Type, object? Value);
