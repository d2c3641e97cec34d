using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;

namespace ResearchKit.Kernel.Cells;

/// <summary>
/// The defaults of C# cells: imported namespaces, and references to the framework, the kit and the kit's
/// dependencies.
/// </summary>
internal static class CSharpDefaults
{
    private static readonly Lazy<IReadOnlyDictionary<string, string>> Platform = new(FindAssemblies);
    private static readonly string[] OfKernel =
        ["AsyncIO", "FSharp.Compiler", "Markdig", "Microsoft.CodeAnalysis", "Microsoft.DiaSymReader", "NaCl", "NetMQ",
            "ResearchKit.Mermaid", "Spectre.", "System.CommandLine", "System.Composition"];

    private static readonly Lazy<IReadOnlyList<MetadataReference>> LazyReferences = new(
        () => [.. Platform.Value.Values.Where(path => !IsOfKernel(Path.GetFileName(path))).Select(MappedReferences.To)
            .OfType<MetadataReference>()]);

    /// <summary>The imported namespaces: those of .NET Interactive, and the functions for cells.</summary>
    public static IReadOnlyList<string> Imports { get; } =
    [
        "System", "System.IO", "System.Text", "System.Collections", "System.Collections.Generic", "System.Linq",
        "System.Threading", "System.Threading.Tasks", "Microsoft.DotNet.Interactive.Formatting",
        "ResearchKit.Kernel.Cells.Globals", "ResearchKit.Kernel.Cells.Globals.CellFunctions",
    ];

    /// <summary>The parse options of cells: C# scripts in the latest version.</summary>
    public static CSharpParseOptions Parsing { get; } =
        new(LanguageVersion.Latest, DocumentationMode.None, SourceCodeKind.Script);

    /// <summary>The managed assemblies of this process, by simple name.</summary>
    public static IReadOnlyDictionary<string, string> Assemblies => Platform.Value;

    /// <summary>Metadata references to <see cref="Assemblies"/>, except those that only the kernel uses.</summary>
    public static IReadOnlyList<MetadataReference> References => LazyReferences.Value;

    /// <summary>
    /// Returns whether only the kernel uses an assembly, such as the compiler. Cells do not reference these large
    /// assemblies by default, but can with <c>#r</c>.
    /// </summary>
    public static bool IsOfKernel(string name) =>
        OfKernel.Any(start => name.StartsWith(start, StringComparison.Ordinal));

    private static Dictionary<string, string> FindAssemblies()
    {
        var all = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase);
        var paths = AppContext.GetData("TRUSTED_PLATFORM_ASSEMBLIES") as string ?? "";
        foreach (var path in paths.Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries))
            if (path.EndsWith(".dll", StringComparison.OrdinalIgnoreCase) && File.Exists(path))
                all.TryAdd(Path.GetFileNameWithoutExtension(path), path);
        return all;
    }
}
