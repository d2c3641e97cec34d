using System.Reflection;
using System.Text;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;
using Microsoft.CodeAnalysis.Emit;
using ResearchKit.Kernel.Cells;

namespace ResearchKit.Kernel.Languages.CSharp;

/// <summary>
/// Compiles declarations that scripts do not have, such as namespaces, as ordinary assemblies that cells reference.
/// </summary>
/// <remarks>
/// Declarations that declare a type again replace the earlier ones: their assembly has the same name and a higher version, and
/// the script compiler takes the highest version.
/// </remarks>
/// <param name="loaded">Loads them.</param>
/// <param name="seen">Is told each assembly that was loaded.</param>
internal sealed class DeclaredAssemblies(CellAssemblies loaded, Action<Assembly> seen)
{
    /// <summary>The start of the names of these assemblies.</summary>
    public const string Prefix = "researchkit-declarations-";

    private readonly List<Unit> units = [];
    private readonly HashSet<string> usings = new(StringComparer.Ordinal);

    /// <summary>Remembers the usings of a cell that compiled, which later declarations see as later cells do.</summary>
    public void See(CompilationUnitSyntax root)
    {
        foreach (var one in root.Usings.Where(one => one.Alias is null && one.Name is not null))
            usings.Add($"{(one.StaticKeyword.IsKind(SyntaxKind.None) ? "" : "static ")}{one.Name}");
    }

    /// <summary>Compiles declarations.</summary>
    /// <param name="root">The cell or file, parsed as a program.</param>
    /// <param name="apart">Its declarations that are to be compiled.</param>
    /// <param name="file">The name of the cell or file in error messages.</param>
    /// <param name="references">The references of the session.</param>
    /// <returns>The new reference; null if the declarations are those of before.</returns>
    /// <exception cref="DeclarationException">They do not compile.</exception>
    public MetadataReference? Add(
        CompilationUnitSyntax root, IReadOnlyList<MemberDeclarationSyntax> apart, string file,
        IEnumerable<MetadataReference> references)
    {
        var code = Code(root, apart);
        var names = DeclarationsApart.TypeNames(apart).ToHashSet(StringComparer.Ordinal);
        var old = units.FindIndex(unit => unit.Types.Overlaps(names));
        if (old >= 0 && units[old].Code == code.Code) return null;
        var (number, version) = old >= 0 ? (units[old].Number, units[old].Version + 1) : (units.Count + 1, 1);
        var others = units.Where((_, index) => index != old).Select(unit => unit.Reference);
        var reference = Compile(code, $"{Prefix}{number}", version, file, [.. references, .. others]);
        var unit = new Unit(number, version, names, code.Code, reference);
        if (old >= 0) units[old] = unit;
        else units.Add(unit);
        return reference;
    }

    private static MappedCode Code(CompilationUnitSyntax root, IReadOnlyList<MemberDeclarationSyntax> apart)
    {
        var edits = new CodeEdits(root.ToFullString());
        edits.BlankAllBut([.. root.Usings.Select(one => one.Span), .. apart.Select(member => member.Span)]);
        PublicDeclarations.Rewrite(edits, apart);
        var plain = new MappedCode(edits);
        return plain.With(more =>
            StopChecks.AddTo(more, CSharpSyntaxTree.ParseText(plain.Code, ScriptCode.Ordinary).GetRoot()));
    }

    private PortableExecutableReference Compile(
        MappedCode code, string name, int version, string file, IReadOnlyList<MetadataReference> references)
    {
        var tree = CSharpSyntaxTree.ParseText(code.Code, ScriptCode.Ordinary, file, Encoding.UTF8);
        var imports = CSharpDefaults.Imports.Select(import => Type.GetType(import) is null ? import : $"static {import}");
        var surroundings = string.Concat(imports.Concat(usings).Distinct().Select(import => $"global using {import};\n"))
            + $"[assembly: System.Reflection.AssemblyVersion(\"1.0.{version}.0\")]";
        var options = new CSharpCompilationOptions(
            OutputKind.DynamicallyLinkedLibrary, optimizationLevel: OptimizationLevel.Release, allowUnsafe: true,
            metadataReferenceResolver: new MissingReferences(), warningLevel: 0,
            nullableContextOptions: NullableContextOptions.Annotations);
        var compilation = CSharpCompilation.Create(
            name, [tree, CSharpSyntaxTree.ParseText(surroundings, ScriptCode.Ordinary)], references, options);
        using var assembly = new MemoryStream();
        using var symbols = new MemoryStream();
        var result = compilation.Emit(
            assembly, symbols, options: new EmitOptions(debugInformationFormat: DebugInformationFormat.PortablePdb));
        if (!result.Success)
            throw new DeclarationException(
                [.. result.Diagnostics.Where(found => found.Severity == DiagnosticSeverity.Error)], code.Original);
        (assembly.Position, symbols.Position) = (0, 0);
        seen(loaded.AddDeclared(assembly, symbols));
        return MetadataReference.CreateFromImage(assembly.ToArray());
    }

    private sealed record Unit(int Number, int Version, HashSet<string> Types, string Code, MetadataReference Reference);
}

/// <summary>Declarations do not compile.</summary>
/// <param name="errors">The errors.</param>
/// <param name="original">Maps a position in the compiled code to one in the cell.</param>
internal sealed class DeclarationException(IReadOnlyList<Diagnostic> errors, Func<int, int> original) : Exception
{
    /// <summary>The errors.</summary>
    public IReadOnlyList<Diagnostic> Errors => errors;

    /// <summary>Maps a position in the compiled code to one in the cell.</summary>
    public Func<int, int> Original => original;
}
