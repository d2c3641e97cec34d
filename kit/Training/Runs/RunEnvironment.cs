using System.Globalization;
using System.Reflection;
using System.Runtime.InteropServices;
using ResearchKit.Native;
using TorchSharp;

namespace ResearchKit.Training;

/// <summary>Where and with what a run happens. What needs libtorch stands apart.</summary>
internal static class RunEnvironment
{
    private const string IdKey = "ResearchKit.RunProcess";
    private static readonly Lock Gate = new();

    /// <summary>A random id of this process: the same for every copy of the kit in it, another in its child processes.</summary>
    public static string ProcessId
    {
        get
        {
            lock (Gate)
            {
                if (AppContext.GetData(IdKey) is string known) return known;
                var id = Guid.NewGuid().ToString("N");
                AppContext.SetData(IdKey, id);
                return id;
            }
        }
    }

    public static IReadOnlyDictionary<string, string> Packages() => new Dictionary<string, string>
    {
        ["ResearchKit"] = Version(typeof(RunEnvironment).Assembly),
        [".NET"] = Environment.Version.ToString(),
    };

    public static IReadOnlyDictionary<string, string> TorchPackages() => new Dictionary<string, string>
    {
        ["TorchSharp"] = Version(typeof(torch).Assembly),
        ["libtorch"] = NativeLibraries.TorchVersion,
    };

    public static IReadOnlyDictionary<string, string> Machine() => new Dictionary<string, string>
    {
        ["system"] = RuntimeInformation.OSDescription,
        ["architecture"] = RuntimeInformation.ProcessArchitecture.ToString(),
        ["processor"] = Processor.Name,
        ["cores"] = Environment.ProcessorCount.ToString(CultureInfo.InvariantCulture),
        ["memory"] = $"{GC.GetGCMemoryInfo().TotalAvailableMemoryBytes >> 20} MiB",
    };

    public static IReadOnlyDictionary<string, string> TorchMachine() => new Dictionary<string, string>
    {
        ["threads"] = Compute.Threads.ToString(CultureInfo.InvariantCulture),
        ["device"] = Compute.BestDevice().ToString(),
    };

    private static string Version(Assembly assembly) =>
        assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion
        ?? assembly.GetName().Version?.ToString() ?? "unknown";
}
