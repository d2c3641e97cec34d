using ResearchKit.Native;

namespace ResearchKit.Kernel.Kit;

/// <summary>What the kit reports about this machine, as sections of lines.</summary>
internal static class KitReport
{
    /// <summary>The machine, the kernels in use, the rates of matrix products measured now, and the workarounds.</summary>
    /// <remarks>Each section is made when it is asked for: the rates take seconds.</remarks>
    /// <exception cref="DllNotFoundException">There is no libtorch here.</exception>
    public static IEnumerable<(string Title, IReadOnlyList<(string Name, string Value)> Lines)> Sections()
    {
        _ = NativeLibraries.TorchPath;
        // called before Machine(), which also reports what this call writes into oneDNN's record
        var kernels = MachineReport.KernelsInUse();
        yield return ("Machine", MachineReport.Machine());
        yield return ("Kernels", kernels);
        yield return ("Products of large matrices, measured now", MachineReport.Rates());
        yield return ("Workarounds", [.. Workarounds.All.Select(one => (one.Name, $"{State(one)}. {one.Reason}"))]);
    }

    private static string State(Workaround one) => one.IsOff ? "switched off" : one.IsActive ? "active" : "not needed here";
}
