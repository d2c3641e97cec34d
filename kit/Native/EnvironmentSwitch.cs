namespace ResearchKit.Native;

/// <summary>An environment variable that takes one of a few words.</summary>
internal static class EnvironmentSwitch
{
    /// <param name="variable">Its name.</param>
    /// <param name="words">What it may say.</param>
    /// <returns>The word, in lower case; null where the variable is not set or empty.</returns>
    /// <exception cref="InvalidOperationException">It says something else.</exception>
    public static string? Read(string variable, params string[] words)
    {
        var value = Value(variable);
        return value is null || words.Contains(value) ? value
            : throw Wrong(variable, value, string.Join(" or ", words.Select(word => $"'{word}'")));
    }

    /// <summary>What the variable says, trimmed and in lower case; null where it is not set or empty.</summary>
    public static string? Value(string variable) =>
        Environment.GetEnvironmentVariable(variable)?.Trim().ToLowerInvariant() is { Length: > 0 } value ? value : null;

    /// <summary>One sentence about a value that is not understood.</summary>
    public static InvalidOperationException Wrong(string variable, string value, string expected) =>
        new($"The environment variable {variable} is '{value}'; expected {expected}, or nothing.");
}
