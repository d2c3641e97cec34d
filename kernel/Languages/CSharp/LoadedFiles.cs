using System.Text;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;

namespace ResearchKit.Kernel.Languages.CSharp;

/// <summary>
/// Resolves the files that cells <c>#load</c>, and rewrites them as cells are rewritten.
/// </summary>
internal sealed class LoadedFiles(string folder, IDictionary<string, string> sources) : SourceFileResolver([], folder)
{
    private readonly Dictionary<string, string> rewritten = new(StringComparer.Ordinal);

    /// <summary>Rewrites the files that a cell loads, and those that they load, before the cell is compiled.</summary>
    /// <param name="code">The code with <c>#load</c> lines.</param>
    /// <param name="rewrite">Rewrites the text of a file; the second argument is the path.</param>
    /// <param name="from">The path of the file that has the lines; null for a cell.</param>
    public void Prepare(string code, Func<string, string, string> rewrite, string? from = null)
    {
        if (!code.Contains("#load", StringComparison.Ordinal)) return;
        var root = CSharpSyntaxTree.ParseText(code, Cells.CSharpDefaults.Parsing).GetCompilationUnitRoot();
        foreach (var directive in root.GetLoadDirectives())
        {
            if (ResolveReference(directive.File.ValueText, from) is not { } path || rewritten.ContainsKey(path)) continue;
            var text = File.ReadAllText(path);
            sources[Path.GetFileName(path)] = text;
            rewritten[path] = "";   // files may load each other
            Prepare(text, rewrite, path);
            rewritten[path] = rewrite(text, path);
        }
    }

    /// <summary>Forgets the rewritten files: the next cell reads them again.</summary>
    public void Forget() => rewritten.Clear();

    /// <summary>Returns the rewritten text of a file.</summary>
    public override Stream OpenRead(string resolvedPath) => rewritten.TryGetValue(resolvedPath, out var code)
        ? new MemoryStream(Encoding.UTF8.GetBytes(code)) : base.OpenRead(resolvedPath);

    /// <inheritdoc/>
    public override bool Equals(object? other) => ReferenceEquals(this, other);

    /// <inheritdoc/>
    public override int GetHashCode() => System.Runtime.CompilerServices.RuntimeHelpers.GetHashCode(this);
}
