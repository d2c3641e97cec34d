using System.Reflection;

namespace ResearchKit.Kernel.Commands;

/// <summary>How this program starts itself again.</summary>
internal static class ThisProgram
{
    /// <summary>Its own executable, or <c>dotnet</c> with its assembly; the arguments follow.</summary>
    public static string[] Command(params string[] arguments)
    {
        var (process, assembly) = (Environment.ProcessPath ?? "dotnet", Path.Combine(AppContext.BaseDirectory, "ResearchKit.Kernel.dll"));
        var isHost = Path.GetFileNameWithoutExtension(process) == "dotnet";
        if (!isHost && Assembly.GetEntryAssembly() == typeof(ThisProgram).Assembly) return [process, .. arguments];
        return [isHost ? process : Environment.GetEnvironmentVariable("DOTNET_HOST_PATH") ?? "dotnet", assembly, .. arguments];
    }
}
