using Microsoft.CodeAnalysis;

namespace ResearchKit.Kernel.Languages;

/// <summary>Says what the compiler found: place, code and message, the line, and a caret below the column.</summary>
internal static class CompileErrors
{
    private const int Shown = 20;

    public static CellException Describe(IReadOnlyList<Diagnostic> errors, string source)
    {
        var lines = source.ReplaceLineEndings("\n").Split('\n');
        var traceback = new List<string>();
        foreach (var error in errors.Take(Shown))
        {
            traceback.Add(Headline(error));
            traceback.AddRange(Excerpt(error, lines));
        }
        if (errors.Count > Shown) traceback.Add($"… and {errors.Count - Shown} more errors");
        var first = errors[0].Location.GetLineSpan();
        return new CellException("CompilationError", Headline(errors[0]), traceback, first.IsValid ? first.StartLinePosition.Line + 1 : null);
    }

    private static string Headline(Diagnostic error)
    {
        var at = error.Location.GetLineSpan().StartLinePosition;
        return $"({at.Line + 1},{at.Character + 1}): error {error.Id}: {error.GetMessage(null)}";
    }

    private static IEnumerable<string> Excerpt(Diagnostic error, string[] lines)
    {
        var span = error.Location.GetLineSpan();
        if (!span.IsValid || span.StartLinePosition.Line >= lines.Length) yield break;
        var (line, column) = (lines[span.StartLinePosition.Line], span.StartLinePosition.Character);
        var wide = span.EndLinePosition.Line == span.StartLinePosition.Line ? span.EndLinePosition.Character - column : line.Length - column;
        var indent = new string([.. line.Take(column).Select(c => c == '\t' ? '\t' : ' ')]);
        yield return $"    {line}";
        yield return $"    {indent}{new string('^', Math.Max(1, wide))}";
    }
}
