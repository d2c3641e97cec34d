using System.Collections.Immutable;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;

namespace ResearchKit.Tests.Arrows;

/// <summary>A use of a type: where it stands, and where the type is declared.</summary>
/// <param name="Place">File and line, from 1, of the use.</param>
/// <param name="From">First folder of that file; empty at the root of the project.</param>
/// <param name="To">First folder of the file that declares the type; for a type of another project the assembly.</param>
/// <param name="Type">The type.</param>
internal sealed record TypeUse(string Place, string From, string To, string Type)
{
    public override string ToString() => $"{Place}: {From} uses {Type} of {To}";
}

/// <summary>The sources of a project, compiled in memory, so that every name can be asked what it means.</summary>
internal sealed class SourceProject
{
    private const string ImplicitUsings = """
        global using System;
        global using System.Collections.Generic;
        global using System.IO;
        global using System.Linq;
        global using System.Net.Http;
        global using System.Threading;
        global using System.Threading.Tasks;
        """;

    private static readonly CSharpParseOptions Parsing = new(LanguageVersion.Latest, DocumentationMode.None);
    private readonly string root;
    private readonly CSharpCompilation compilation;

    private SourceProject(string root, CSharpCompilation compilation)
    {
        this.root = root;
        this.compilation = compilation;
    }

    /// <summary>Compiles the sources below a folder.</summary>
    /// <param name="folder">The folder, from the repository's root.</param>
    /// <param name="assembly">The assembly that the project makes.</param>
    /// <param name="above">Assemblies of this process that are built on that one, and so are not among its references.</param>
    public static SourceProject Read(string folder, string assembly, params string[] above)
    {
        var trees = SourceFiles.Of(folder).Select(path => Parse(path, File.ReadAllText(path)))
            .Append(Parse(Repository.PathTo(folder, "ImplicitUsings.cs"), ImplicitUsings));
        var references = ((string)AppContext.GetData("TRUSTED_PLATFORM_ASSEMBLIES")!).Split(Path.PathSeparator)
            .Where(path => Path.GetFileNameWithoutExtension(path) is var name && name != assembly && !above.Contains(name))
            .Select(path => MetadataReference.CreateFromFile(path));
        var options = new CSharpCompilationOptions(OutputKind.ConsoleApplication, allowUnsafe: true);
        return new SourceProject(Repository.PathTo(folder), CSharpCompilation.Create(assembly, trees, references, options));
    }

    /// <summary>
    /// Uses of types of other folders and other projects of the repository, in all files, and names that mean nothing: where
    /// there are some, uses would be missed.
    /// </summary>
    public (IReadOnlyList<TypeUse> Uses, IReadOnlyList<string> Unresolved) Names()
    {
        var names = compilation.SyntaxTrees.AsParallel().SelectMany(tree => Names(tree, compilation)).ToList();
        return ([.. names.Select(name => name.Use).OfType<TypeUse>()],
            [.. names.Select(name => name.Unresolved).OfType<string>()]);
    }

    /// <summary>The uses that further files would add, file by file.</summary>
    /// <param name="files">Their paths, from the project's folder, and texts.</param>
    public IReadOnlyList<IReadOnlyList<TypeUse>> UsesOf(IEnumerable<(string Path, string Code)> files)
    {
        var trees = files.Select(file => Parse(Path.Combine(root, file.Path), file.Code)).ToList();
        var compiled = compilation.AddSyntaxTrees(trees);
        Assert.DoesNotContain(trees.SelectMany(tree => compiled.GetSemanticModel(tree).GetDiagnostics()),
            found => found.Severity == DiagnosticSeverity.Error);
        return [.. trees.Select(tree => Names(tree, compiled).Select(name => name.Use).OfType<TypeUse>().ToList())];
    }

    private static SyntaxTree Parse(string path, string text) => CSharpSyntaxTree.ParseText(text, Parsing, path);

    private IEnumerable<(TypeUse? Use, string? Unresolved)> Names(
        SyntaxTree tree, CSharpCompilation compiled)
    {
        var model = compiled.GetSemanticModel(tree);
        var from = FolderOf(tree.FilePath);
        var nodes = tree.GetRoot().DescendantNodes()
            .Where(node => node is SimpleNameSyntax or ImplicitObjectCreationExpressionSyntax);
        foreach (var node in nodes)
        {
            var found = model.GetSymbolInfo(node);
            ImmutableArray<ISymbol> symbols = found.Symbol is { } symbol ? [symbol] : found.CandidateSymbols;
            if (symbols.IsEmpty && node is SimpleNameSyntax name && !HasNoSymbol(name)) yield return (null, $"{Place()}: {node}");
            foreach (var type in symbols.SelectMany(TypesOf))
                if (HomeOf(type) is { } to && to != from) yield return (new TypeUse(Place(), from, to, type.Name), null);

            string Place() => $"{Path.GetRelativePath(root, tree.FilePath)}:{LineOf(node)}";
        }
    }

    /// <summary>Whether a name is a word of the language that stands where names do, or the name that a using declares.</summary>
    private static bool HasNoSymbol(SimpleNameSyntax name) =>
        name.Identifier.Text is "nameof" or "_" or "global" or "var" or "unmanaged" or "notnull"
            || name.Parent is NameEqualsSyntax;

    private static int LineOf(SyntaxNode node) => node.GetLocation().GetLineSpan().StartLinePosition.Line + 1;

    /// <summary>The types that a symbol takes part in: itself, its type arguments, or the type that declares it.</summary>
    private static IEnumerable<INamedTypeSymbol> TypesOf(ISymbol symbol) => symbol switch
    {
        IAliasSymbol alias => TypesOf(alias.Target),
        IArrayTypeSymbol array => TypesOf(array.ElementType),
        INamedTypeSymbol type => type.TypeArguments.SelectMany(TypesOf).Prepend(type.OriginalDefinition),
        IMethodSymbol method when method.ReducedFrom is { } extension => TypesOf(extension),
        IMethodSymbol { MethodKind: MethodKind.LocalFunction } => [],
        IMethodSymbol or IPropertySymbol or IFieldSymbol or IEventSymbol => TypesOf(symbol.ContainingType),
        _ => [],
    };

    /// <summary>
    /// The folder of this project, or the other project, that declares a type; null for what comes from packages.
    /// </summary>
    private string? HomeOf(INamedTypeSymbol type) =>
        type.DeclaringSyntaxReferences.FirstOrDefault()?.SyntaxTree.FilePath is { } file ? FolderOf(file)
        : type.ContainingAssembly?.Name is { } name && name.StartsWith("ResearchKit", StringComparison.Ordinal) ? name : null;

    private string FolderOf(string path) =>
        Path.GetRelativePath(root, path).Split(Path.DirectorySeparatorChar) is [var folder, _, ..] ? folder : "";
}
