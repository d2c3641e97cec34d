using System.Diagnostics;
using System.Globalization;
using System.Reflection;
using System.Runtime.InteropServices;
using ResearchKit.Native;
using TorchSharp;

namespace ResearchKit.Training;

/// <summary>
/// Describes the environment of a run: process, machine and versions. Separate members describe what requires
/// libtorch.
/// </summary>
internal static class RunEnvironment
{
    private const string IdKey = "ResearchKit.RunProcess";
    private const double ClockTolerance = 5;   // seconds: the time of the boot, from which Linux counts, may be set anew
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

    /// <summary>When this process began, in UTC, to the second.</summary>
    public static DateTime ProcessStart
    {
        get
        {
            using var process = Process.GetCurrentProcess();
            return StartOf(process);
        }
    }

    /// <summary>Whether a process of this machine is running.</summary>
    /// <param name="pid">Its number.</param>
    /// <param name="began">When it began, in UTC; another process may have the number since.</param>
    public static bool IsAlive(int pid, DateTime began)
    {
        try
        {
            using var process = Process.GetProcessById(pid);
            return Math.Abs((StartOf(process) - began).TotalSeconds) <= ClockTolerance && !IsZombie(pid);
        }
        catch (Exception gone) when (gone is ArgumentException or InvalidOperationException)
        {
            return false;
        }
        catch (System.ComponentModel.Win32Exception)
        {
            return true;   // it is there and belongs to somebody else
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

    private static DateTime StartOf(Process process)
    {
        var start = process.StartTime.ToUniversalTime();
        return new DateTime(start.Ticks - (start.Ticks % TimeSpan.TicksPerSecond), DateTimeKind.Utc);
    }

    /// <summary>On Linux a process that was killed is listed until its parent asks for its exit code.</summary>
    private static bool IsZombie(int pid)
    {
        try
        {
            var stat = File.ReadAllText($"/proc/{pid}/stat");   // number (name) state …
            return stat[(stat.LastIndexOf(')') + 1)..].TrimStart() is ['Z' or 'X', ..];
        }
        catch (Exception missing) when (missing is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }

    private static string Version(Assembly assembly) =>
        assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion
        ?? assembly.GetName().Version?.ToString() ?? "unknown";
}
