using System.Collections.Concurrent;
using System.Reflection;
using System.Runtime.InteropServices;
using System.Runtime.Loader;

namespace ResearchKit.Kernel.Packages;

/// <summary>
/// Loads the assemblies and native libraries of packages into the process when they are first needed.
/// </summary>
internal static class PackageAssemblies
{
    private static readonly ConcurrentDictionary<string, string> Managed = new(StringComparer.OrdinalIgnoreCase);
    private static readonly ConcurrentDictionary<string, string> Native = new(StringComparer.OrdinalIgnoreCase);

    static PackageAssemblies()
    {
        AssemblyLoadContext.Default.Resolving += Resolve;
        AssemblyLoadContext.Default.ResolvingUnmanagedDll += ResolveNative;
    }

    public static void Add(PackageAssets assets)
    {
        foreach (var path in assets.Runtime) Managed.TryAdd(Path.GetFileNameWithoutExtension(path), path);
        foreach (var path in assets.Native) Native.TryAdd(Path.GetFileName(path), path);
    }

    /// <summary>Makes an assembly and the other assemblies in its folder loadable.</summary>
    public static void AddFile(string path)
    {
        Managed[Path.GetFileNameWithoutExtension(path)] = path;
        foreach (var neighbour in Directory.EnumerateFiles(Path.GetDirectoryName(path)!, "*.dll"))
            Managed.TryAdd(Path.GetFileNameWithoutExtension(neighbour), neighbour);
    }

    private static Assembly? Resolve(AssemblyLoadContext context, AssemblyName name) =>
        name.Name is { } simple && Managed.TryGetValue(simple, out var path) ? context.LoadFromAssemblyPath(path) : null;

    private static nint ResolveNative(Assembly assembly, string name)
    {
        string[] spellings = [name, $"{name}.dll", $"lib{name}.so", $"{name}.so", $"lib{name}.dylib", $"{name}.dylib"];
        foreach (var spelling in spellings)
            if (Native.TryGetValue(spelling, out var path) && NativeLibrary.TryLoad(path, out var handle)) return handle;
        return 0;
    }
}
