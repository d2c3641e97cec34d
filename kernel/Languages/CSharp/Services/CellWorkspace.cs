using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.Text;
using ResearchKit.Kernel.Cells;

namespace ResearchKit.Kernel.Languages.CSharp.Services;

/// <summary>
/// The session's cells as a chain of Roslyn projects, each of which references the previous one. Created on
/// first use.
/// </summary>
internal sealed class CellWorkspace
{
    private readonly List<(string Code, IReadOnlyList<MetadataReference> References)> pending = [];
    private readonly Dictionary<string, MetadataReference> documented = new(StringComparer.Ordinal);
    private readonly Lock gate = new();
    private readonly Lazy<AdhocWorkspace> workspace = new(() => new AdhocWorkspace(RoslynHost.Services));
    private ProjectId? last;

    /// <summary>Notes a cell that compiled, and the references that it has beside those of the cells before it.</summary>
    public void Add(string code, IReadOnlyList<MetadataReference> added)
    {
        lock (gate) pending.Add((code, added));
    }

    /// <summary>Returns a document with an unfinished cell after all others.</summary>
    public Document With(string code)
    {
        lock (gate)
        {
            foreach (var cell in pending)
            {
                var done = Add(workspace.Value.CurrentSolution, cell.Code, cell.References, out var id);
                workspace.Value.TryApplyChanges(done.Project.Solution);
                last = id;
            }
            pending.Clear();
            return Add(workspace.Value.CurrentSolution, code, [], out _);
        }
    }

    private Document Add(Solution solution, string code, IReadOnlyList<MetadataReference> added, out ProjectId id)
    {
        var references = last is null ? [.. CSharpDefaults.References, .. added] : added;   // those of earlier cells are there
        id = ProjectId.CreateNewId();
        var info = ProjectInfo.Create(
            id, VersionStamp.Create(), id.ToString(), id.ToString(), LanguageNames.CSharp,
            parseOptions: CSharpDefaults.Parsing.WithDocumentationMode(DocumentationMode.Parse),
            compilationOptions: new CSharpCompilationOptions(
                OutputKind.DynamicallyLinkedLibrary, usings: CSharpDefaults.Imports, allowUnsafe: true),
            projectReferences: last is null ? [] : [new ProjectReference(last)],
            metadataReferences: references.Select(Documented), isSubmission: true);
        var document = DocumentId.CreateNewId(id);
        return solution.AddProject(info)
            .AddDocument(DocumentInfo.Create(document, "cell", sourceCodeKind: SourceCodeKind.Script,
                loader: TextLoader.From(TextAndVersion.Create(SourceText.From(code), VersionStamp.Create()))))
            .GetDocument(document)!;
    }

    /// <summary>
    /// Returns the reference with its XML documentation file, if there is one beside the assembly.
    /// </summary>
    private MetadataReference Documented(MetadataReference reference)
    {
        if (reference is not PortableExecutableReference { FilePath: { } path }) return reference;
        if (documented.TryGetValue(path, out var known)) return known;
        var xml = Path.ChangeExtension(path, ".xml");
        return documented[path] = File.Exists(xml)
            ? MetadataReference.CreateFromFile(path, documentation: XmlDocumentationProvider.CreateFromFile(xml))
            : reference;
    }
}
