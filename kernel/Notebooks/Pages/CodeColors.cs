using System.Text;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.Classification;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.Text;
using ResearchKit.Kernel.Cells;

namespace ResearchKit.Kernel.Notebooks.Pages;

/// <summary>Highlights C# code by the compiler's classification, with all cells as one script.</summary>
internal static class CodeColors
{
    /// <summary>Returns the code of the cells as HTML, in the given order.</summary>
    public static async Task<IReadOnlyList<string>> ColorAsync(IReadOnlyList<string> cells, CancellationToken cancellation)
    {
        if (cells.Count == 0) return [];
        using var workspace = new AdhocWorkspace(RoslynHost.Services);
        var text = string.Concat(cells.Select(cell => Colorable(cell) + "\n"));
        var whole = new TextSpan(0, text.Length);
        var spans = await Classifier.GetClassifiedSpansAsync(Document(workspace, text), whole, cancellation)
            .ConfigureAwait(false);
        var marks = spans.Select(span => (span.TextSpan.Start, span.TextSpan.End, Class: ClassOf(span.ClassificationType)))
            .Where(span => span.Class is not null).OrderBy(span => span.Start).ToList();

        var (html, start, next) = (new List<string>(), 0, 0);
        foreach (var cell in cells)
        {
            var end = start + cell.Length;
            var first = next;
            while (next < marks.Count && marks[next].Start < end) next++;
            html.Add(Colored(cell, start, marks[first..next]));
            start = end + 1;
        }
        return html;
    }

    private static Document Document(AdhocWorkspace workspace, string text)
    {
        var project = workspace.AddProject(ProjectInfo.Create(
            ProjectId.CreateNewId(), VersionStamp.Default, "notebook", "notebook", LanguageNames.CSharp,
            parseOptions: CSharpDefaults.Parsing,
            compilationOptions: new CSharpCompilationOptions(OutputKind.DynamicallyLinkedLibrary, usings: CSharpDefaults.Imports),
            metadataReferences: CSharpDefaults.References, isSubmission: true));
        return workspace.AddDocument(DocumentInfo.Create(
            DocumentId.CreateNewId(project.Id), "notebook.csx", sourceCodeKind: SourceCodeKind.Script,
            loader: TextLoader.From(TextAndVersion.Create(SourceText.From(text), VersionStamp.Default))));
    }

    /// <summary>Code that nests too deeply for the compiler stays without colors.</summary>
    private static string Colorable(string cell) =>
        CodeNesting.IsTooDeep(cell) ? new string(' ', cell.Length) : WithoutDirectives(cell);

    /// <summary>
    /// Blanks lines that start with <c>#!</c>, <c>#r</c> or <c>#i</c>, which are for the notebook and not for the
    /// compiler; positions do not change.
    /// </summary>
    private static string WithoutDirectives(string cell) =>
        string.Join('\n', cell.Split('\n').Select(line => IsDirective(line) ? new string(' ', line.Length) : line));

    private static bool IsDirective(string line) => line.TrimStart() is ['#', '!', ..] or ['#', 'r' or 'i', ' ', ..];

    private static string Colored(string cell, int offset, IEnumerable<(int Start, int End, string? Class)> marks)
    {
        var html = new StringBuilder();
        var at = 0;
        foreach (var (from, to, name) in marks)
        {
            var (start, end) = (Math.Max(from - offset, at), Math.Min(to - offset, cell.Length));
            if (end <= start) continue;
            html.Append(Plain(cell[at..start])).Append("<span class=\"").Append(name).Append("\">")
                .Append(Escape.Html(cell[start..end])).Append("</span>");
            at = end;
        }
        return html.Append(Plain(cell[at..])).ToString();
    }

    private static string Plain(string code) => string.Join('\n', code.Split('\n').Select(
        line => IsDirective(line) ? $"<span class=\"c-d\">{Escape.Html(line)}</span>" : Escape.Html(line)));

    private static string? ClassOf(string type) => type switch
    {
        ClassificationTypeNames.Keyword or ClassificationTypeNames.ControlKeyword => "c-k",
        ClassificationTypeNames.StringLiteral or ClassificationTypeNames.VerbatimStringLiteral => "c-s",
        ClassificationTypeNames.StringEscapeCharacter => "c-e",
        ClassificationTypeNames.NumericLiteral => "c-n",
        ClassificationTypeNames.Comment => "c-c",
        ClassificationTypeNames.ClassName or ClassificationTypeNames.RecordClassName or ClassificationTypeNames.StructName
            or ClassificationTypeNames.RecordStructName or ClassificationTypeNames.InterfaceName
                or ClassificationTypeNames.EnumName
            or ClassificationTypeNames.DelegateName or ClassificationTypeNames.TypeParameterName => "c-t",
        ClassificationTypeNames.MethodName or ClassificationTypeNames.ExtensionMethodName => "c-m",
        ClassificationTypeNames.PreprocessorKeyword => "c-d",
        _ when type.StartsWith("xml doc comment", StringComparison.Ordinal) => "c-c",
        _ => null,
    };
}
