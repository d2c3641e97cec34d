namespace ResearchKit.Native;

/// <summary>
/// Text files that the assembly carries: TorchScript, styles and scripts, each beside the C# file that uses it.
/// </summary>
internal static class EmbeddedFile
{
    /// <summary>Names of all files.</summary>
    public static IEnumerable<string> Names => typeof(EmbeddedFile).Assembly.GetManifestResourceNames();

    /// <summary>The whole text of a file.</summary>
    /// <param name="name">Its name without the folder.</param>
    /// <exception cref="FileNotFoundException">The assembly carries no such file.</exception>
    public static string Read(string name)
    {
        using var reader = Open(name);
        return reader.ReadToEnd();
    }

    /// <inheritdoc cref="Read"/>
    /// <summary>A reader of a file.</summary>
    public static StreamReader Open(string name) => new(typeof(EmbeddedFile).Assembly.GetManifestResourceStream(name)
        ?? throw new FileNotFoundException($"The assembly carries no file {name}.", name));
}
