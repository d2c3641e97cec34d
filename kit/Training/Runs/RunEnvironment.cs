using System.ComponentModel;
using System.Diagnostics;
using System.Globalization;
using System.Reflection;
using System.Runtime.InteropServices;
using ResearchKit.Native;
using TorchSharp;

namespace ResearchKit.Training;

/// <summary>Where and with what a run happens.</summary>
internal static class RunEnvironment
{
    public static IReadOnlyDictionary<string, string> Packages() => new Dictionary<string, string>
    {
        ["ResearchKit"] = Version(typeof(RunEnvironment).Assembly),
        ["TorchSharp"] = Version(typeof(torch).Assembly),
        ["libtorch"] = NativeLibraries.TorchVersion,
        [".NET"] = Environment.Version.ToString(),
    };

    public static IReadOnlyDictionary<string, string> Machine() => new Dictionary<string, string>
    {
        ["system"] = RuntimeInformation.OSDescription,
        ["architecture"] = RuntimeInformation.ProcessArchitecture.ToString(),
        ["processor"] = Processor.Name,
        ["cores"] = Environment.ProcessorCount.ToString(CultureInfo.InvariantCulture),
        ["threads"] = Compute.Threads.ToString(CultureInfo.InvariantCulture),
        ["portable"] = Compute.Portable ? "true" : "false",
        ["memory"] = $"{GC.GetGCMemoryInfo().TotalAvailableMemoryBytes >> 20} MiB",
        ["device"] = Compute.BestDevice().ToString(),
    };

    /// <summary>The commit of the repository around the current folder; null where there is none, or no git.</summary>
    public static string? Commit()
    {
        var head = Git("rev-parse HEAD");
        return string.IsNullOrEmpty(head) ? null : head + (string.IsNullOrEmpty(Git("status --porcelain")) ? "" : "+changes");
    }

    private static string? Git(string arguments)
    {
        try
        {
            using var git = Process.Start(
                new ProcessStartInfo("git", arguments) { RedirectStandardOutput = true, RedirectStandardError = true });
            git?.ErrorDataReceived += (_, _) => { };
            git?.BeginErrorReadLine();
            var output = git?.StandardOutput.ReadToEnd().Trim();
            git?.WaitForExit();
            return git?.ExitCode == 0 ? output : null;
        }
        catch (Win32Exception)
        {
            return null;   // git is not installed
        }
    }

    private static string Version(Assembly assembly) =>
        assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion
            ?? assembly.GetName().Version?.ToString() ?? "unknown";
}
