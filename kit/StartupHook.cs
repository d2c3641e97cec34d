using System.Runtime.CompilerServices;
using System.Runtime.Loader;
using ResearchKit.Native;

/// <summary>
/// Startup hook that .NET calls before the program's entry point if <c>DOTNET_STARTUP_HOOKS</c> names this
/// assembly; only child processes of the kit's self-check set it (<see cref="ChildCheck"/>). .NET requires this
/// class name and the global namespace.
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

    /// <summary>A separate method, so that TorchSharp is not loaded before the resolver is registered.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void Run() => ChildCheck.RunIfChild();
}
