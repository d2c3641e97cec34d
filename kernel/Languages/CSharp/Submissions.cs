using System.Reflection;
using System.Runtime.InteropServices;
using System.Runtime.Loader;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.Emit;
using Microsoft.CodeAnalysis.Scripting;

namespace ResearchKit.Kernel.Languages.CSharp;

/// <summary>The compiled cells of a session, each an object whose fields are what the cell declared.</summary>
/// <remarks>
/// A cell enters the chain before it runs, so that one that throws, is interrupted or is left behind keeps what it had assigned.
/// Roslyn's own <c>ScriptState</c> comes too late for that.
/// </remarks>
internal sealed class Submissions
{
    private readonly AssemblyLoadContext assemblies = new("cells");
    private object?[] instances = new object?[16];
    private int count;

    /// <summary>The last cell that compiled.</summary>
    public Script<object?>? Last { get; private set; }

    /// <summary>Whether a cell used an assembly that is neither of the framework nor of the kernel itself.</summary>
    public bool UsesPackages { get; private set; }

    /// <summary>What the cells declared, latest first: each cell is an object with fields.</summary>
    public IEnumerable<object> Instances => instances.Reverse().OfType<object>();

    /// <summary>Compiles a cell and makes it the latest one.</summary>
    /// <returns>Its start, or null with the errors that forbid it.</returns>
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
        var assembly = assemblies.LoadFromStream(code, symbols);
        UsesPackages |= assembly.GetReferencedAssemblies().Any(name => !IsOfFramework(name));
        var start = assembly.GetType(entry.ContainingType.MetadataName, throwOnError: true)!
            .GetMethod(entry.MetadataName, BindingFlags.Static | BindingFlags.Public | BindingFlags.NonPublic)!
            .CreateDelegate<Func<object?[], Task<object?>>>();
        Last = script;
        if (++count + 1 >= instances.Length) Array.Resize(ref instances, 2 * instances.Length);
        var array = instances;
        return () => start(array);
    }

    private static bool IsOfFramework(AssemblyName name) =>
        // cells before this one
        name.Name is "ResearchKit.Kernel" or "Microsoft.DotNet.Interactive.Formatting" || name.Name!.StartsWith('ℛ')
        || File.Exists(Path.Combine(RuntimeEnvironment.GetRuntimeDirectory(), $"{name.Name}.dll"));
}
