using System.Text;
using Microsoft.CodeAnalysis;

namespace ResearchKit.Kernel.Languages.CSharp;

/// <summary>
/// Resolves the files that cells <c>#load</c>, and inserts the same stop checks into them as into cells.
/// </summary>
internal sealed class LoadedFiles(string folder, IDictionary<string, string> sources) : SourceFileResolver([], folder)
{
    /// <summary>Reads a file and keeps its text for error messages that show a line.</summary>
    public override Stream OpenRead(string resolvedPath)
    {
        var text = File.ReadAllText(resolvedPath);
        sources[Path.GetFileName(resolvedPath)] = text;
        return new MemoryStream(Encoding.UTF8.GetBytes(StopChecks.AddTo(text).Code));
    }

    /// <inheritdoc/>
    public override bool Equals(object? other) => ReferenceEquals(this, other);

    /// <inheritdoc/>
    public override int GetHashCode() => System.Runtime.CompilerServices.RuntimeHelpers.GetHashCode(this);
}
