using System.Reflection;
using System.Runtime.InteropServices;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.Emit;
using Microsoft.CodeAnalysis.Scripting;

namespace ResearchKit.Kernel.Languages.CSharp;

/// <summary>
/// The compiled cells of a session. Each is an object whose fields are the variables that the cell declared.
/// </summary>
/// <remarks>
/// A cell enters the chain before it runs, so that the assignments of a cell that throws, is interrupted or is
/// abandoned are kept. Roslyn's own <c>ScriptState</c> is created only after a cell has run.
/// </remarks>
internal sealed class Submissions
{
    private object?[] instances = new object?[16];
    private int count;

    /// <summary>The load context of the cells.</summary>
    public CellAssemblies Assemblies { get; } = new("cells", []);

    /// <summary>The last cell that compiled.</summary>
    public Script<object?>? Last { get; private set; }

    /// <summary>
    /// Whether a cell has used an assembly that is neither part of the framework nor of the kernel.
    /// </summary>
    public bool UsesPackages { get; private set; }

    /// <summary>Whether a cell has used the kit or TorchSharp, which need libtorch.</summary>
    public bool UsesTensors { get; private set; }

    /// <summary>The objects of the cells that have run, latest first.</summary>
    public IEnumerable<object> Instances => instances.Reverse().OfType<object>();

    /// <summary>Compiles a cell and appends it to the chain.</summary>
    /// <returns>A function that runs the cell; null if there are compile errors.</returns>
    public Func<Task<object?>>? Add(Script<object?> script, out IReadOnlyList<Diagnostic> errors, CancellationToken cancellation)
    {
        var compilation = script.GetCompilation();
        using var code = new MemoryStream();
        using var symbols = new MemoryStream();
        var result = compilation.Emit(
            code, symbols, options: new EmitOptions(debugInformationFormat: DebugInformationFormat.PortablePdb),
            cancellationToken: cancellation);
        errors = [.. result.Diagnostics.Where(found => found.Severity == DiagnosticSeverity.Error)];
        if (!result.Success) return null;
        var entry = compilation.GetEntryPoint(cancellation)!;
        (code.Position, symbols.Position) = (0, 0);
        var assembly = Assemblies.LoadFromStream(code, symbols);
        See(assembly);
        var start = assembly.GetType(entry.ContainingType.MetadataName, throwOnError: true)!
            .GetMethod(entry.MetadataName, BindingFlags.Static | BindingFlags.Public | BindingFlags.NonPublic)!
            .CreateDelegate<Func<object?[], Task<object?>>>();
        Last = script;
        if (++count + 1 >= instances.Length) Array.Resize(ref instances, 2 * instances.Length);
        var array = instances;
        return () => start(array);
    }

    /// <summary>Notes what an assembly of the session uses.</summary>
    public void See(Assembly assembly)
    {
        var names = assembly.GetReferencedAssemblies();
        UsesPackages |= names.Any(name => !IsOfFramework(name));
        UsesTensors |= names.Any(name => name.Name is "ResearchKit" or "TorchSharp");
    }

    private static bool IsOfFramework(AssemblyName name) =>
        // assemblies of earlier cells start with ℛ
        name.Name is "ResearchKit.Kernel" or "Microsoft.DotNet.Interactive.Formatting" || name.Name!.StartsWith('ℛ')
        || name.Name.StartsWith(DeclaredAssemblies.Prefix, StringComparison.Ordinal)
        || File.Exists(Path.Combine(RuntimeEnvironment.GetRuntimeDirectory(), $"{name.Name}.dll"));
}
