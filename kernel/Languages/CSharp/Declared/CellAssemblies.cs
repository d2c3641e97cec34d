using System.Collections.Concurrent;
using System.Reflection;
using System.Runtime.Loader;

namespace ResearchKit.Kernel.Languages.CSharp;

/// <summary>
/// Loads the assemblies of cells. Those with declarations have a load context each, because later versions of one have its name.
/// </summary>
/// <param name="name">The name of the context.</param>
/// <param name="declared">The assemblies with declarations, by full name.</param>
internal sealed class CellAssemblies(string name, ConcurrentDictionary<string, Assembly> declared) : AssemblyLoadContext(name)
{
    /// <summary>Loads an assembly with declarations, which cells can then use.</summary>
    public Assembly AddDeclared(Stream code, Stream symbols)
    {
        var assembly = new CellAssemblies("declarations", declared).LoadFromStream(code, symbols);
        return declared[assembly.FullName!] = assembly;
    }

    /// <inheritdoc/>
    protected override Assembly? Load(AssemblyName assemblyName) => declared.GetValueOrDefault(assemblyName.FullName);
}
