namespace ResearchKit.Native;

/// <summary>Reads environment variables that accept a few fixed words.</summary>
internal static class EnvironmentSwitch
{
    /// <summary>Reads a variable and checks its value.</summary>
    /// <param name="variable">Name of the variable.</param>
    /// <param name="words">Accepted values.</param>
    /// <returns>The value in lower case; null where the variable is not set or empty.</returns>
    /// <exception cref="InvalidOperationException">The variable has another value.</exception>
    public static string? Read(string variable, params string[] words)
    {
        var value = Value(variable);
        return value is null || words.Contains(value) ? value
            : throw Wrong(variable, value, string.Join(" or ", words.Select(word => $"'{word}'")));
    }

    /// <summary>Reads a variable, trimmed and in lower case; null where it is not set or empty.</summary>
    public static string? Value(string variable) =>
        Environment.GetEnvironmentVariable(variable)?.Trim().ToLowerInvariant() is { Length: > 0 } value ? value : null;

    /// <summary>Creates the exception for a value that is not understood.</summary>
    public static InvalidOperationException Wrong(string variable, string value, string expected) =>
        new($"The environment variable {variable} is '{value}'; expected {expected}, or nothing.");
}
