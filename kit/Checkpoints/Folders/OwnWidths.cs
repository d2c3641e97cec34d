namespace ResearchKit.Checkpoints;

/// <summary>Widths that a published format cannot describe, as structured pruning leaves them.</summary>
internal static class OwnWidths
{
    /// <summary>Throws if one of the settings is set.</summary>
    /// <param name="format">What cannot describe them.</param>
    /// <param name="settings">Settings with their names; null is the usual width.</param>
    /// <exception cref="ArgumentException">One is not null.</exception>
    public static void Refuse(string format, params ReadOnlySpan<(object? Value, string Name)> settings)
    {
        foreach (var (value, name) in settings)
            if (value is not null)
                throw new ArgumentException($"{name} is {Text(value)}, which the configuration of {format} cannot describe in "
                    + "any other "
                    + "library; ModelFolder.Save writes the model for this kit alone.");
    }

    private static string Text(object value) => value switch
    {
        IReadOnlyList<int> list => $"[{string.Join(", ", list)}]",
        IReadOnlyDictionary<string, int> channels => string.Join(", ", channels.Select(pair => $"{pair.Key} {pair.Value}")),
        _ => $"{value}",
    };
}
