using System.Text;
using Microsoft.CodeAnalysis;

namespace ResearchKit.Kernel.Languages.CSharp;

/// <summary>Files that cells <c>#load</c>, with the same checks in their loops as the cells have.</summary>
internal sealed class LoadedFiles(string folder, IDictionary<string, string> sources) : SourceFileResolver([], folder)
{
    /// <summary>Reads a file; its text is kept for errors that show a line.</summary>
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
