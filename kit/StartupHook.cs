using System.Runtime.CompilerServices;
using System.Runtime.Loader;
using ResearchKit.Native;

/// <summary>
/// What .NET calls before a program's own code where <c>DOTNET_STARTUP_HOOKS</c> names this assembly, which only a child process
/// of the kit's self-check has set (<see cref="ChildCheck"/>). The runtime asks for this name, outside of any namespace.
/// </summary>
internal static class StartupHook
{
    public static void Initialize()
    {
        var torchSharp = Environment.GetEnvironmentVariable(ChildCheck.Assemblies);
        if (string.IsNullOrEmpty(torchSharp)) return;
        AssemblyLoadContext.Default.Resolving += (context, name) =>
            Path.Combine(Path.GetDirectoryName(torchSharp)!, $"{name.Name}.dll") is var path && File.Exists(path)
                ? context.LoadFromAssemblyPath(path) : null;
        Run();
    }

    /// <summary>Apart, so that nothing of TorchSharp is looked for before it can be found.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void Run() => ChildCheck.RunIfChild();
}
